"""Many images → what shares a page and what does not, and why."""

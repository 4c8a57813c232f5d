"""Report → what people and programs read: one file each."""

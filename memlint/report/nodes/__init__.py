"""What several nodes hold, for people."""

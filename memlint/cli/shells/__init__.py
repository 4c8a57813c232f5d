"""What shells need to complete commands: one file each."""

"""What the tests make their input of, and how they run the command."""

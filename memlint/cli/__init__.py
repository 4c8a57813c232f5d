"""One module per command. The only room that prints, shows progress or exits."""

"""What a machine needs to build the project."""

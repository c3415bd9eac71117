"""What outputs were made from."""

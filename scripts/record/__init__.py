"""Records of what outputs were made from."""

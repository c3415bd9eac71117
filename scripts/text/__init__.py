"""What the report's chapters may ask for."""

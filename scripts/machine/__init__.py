"""What a machine must have."""

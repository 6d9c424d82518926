"""What every output says of itself."""

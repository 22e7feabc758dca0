"""What intake does by the clock."""

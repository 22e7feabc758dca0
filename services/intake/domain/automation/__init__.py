"""What the house does by itself: rules as data, decided against the same process as everything else. Pure."""

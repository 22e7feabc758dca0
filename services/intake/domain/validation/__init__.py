"""Validation at the door: rules as data say what cannot be true of a request and what is merely implausible."""

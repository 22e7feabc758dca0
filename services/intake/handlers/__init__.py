"""Use cases that several edges share."""

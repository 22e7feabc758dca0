"""What people of the house do with a running system from the command line: over HTTP, with a staff key."""

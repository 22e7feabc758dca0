"""What every service carries: contracts, time, storage and transport plumbing. Knows no service."""

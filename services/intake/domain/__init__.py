"""What a request is and may do. Pure: every function takes the instant it needs and touches nothing."""

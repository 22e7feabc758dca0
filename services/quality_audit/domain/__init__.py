"""What is chosen for review, and what the reviews show. Pure: no clock, no chance, no I/O."""

"""What the edges have in common: rules in force, and the folding of batches."""

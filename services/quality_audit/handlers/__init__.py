"""What is done with a closing, a review, and a question about the figures."""

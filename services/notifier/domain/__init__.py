"""What is told to whom, when, in which words, and what an answer of the mail relay means. Pure."""

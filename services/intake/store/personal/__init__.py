"""What intake holds on customers: encrypted, and destroyed on demand."""

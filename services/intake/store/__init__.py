"""What intake remembers, in its schema of Postgres. Every function takes the caller's connection and transaction."""

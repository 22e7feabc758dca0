"""What the service remembers. Statements are in queries.sql."""

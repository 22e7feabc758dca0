"""What quality_audit remembers. Nothing here begins or ends a transaction."""

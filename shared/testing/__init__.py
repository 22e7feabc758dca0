"""For tests only: an in-memory broker and fresh databases. Services never import it."""

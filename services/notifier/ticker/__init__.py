"""Claims ready notices, hands them to the relay over several connections, looks after what nobody concluded."""

"""What the service knows about deadlines. Pure: rules as data, histories folded into readings, readings compared."""

"""A channel system's side of intake's public API: the client, the business clock it follows, the pace of sending."""

"""Hands mails to a relay over SMTP and says at which step the relay answered what."""

"""What the services say to each other: payloads, envelope, topics. Pure; changes are additive or a new version."""

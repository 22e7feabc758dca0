"""The use cases: plan notices from events, claim them, write down how attempts ended."""

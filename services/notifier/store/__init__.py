"""Remembers: contacts, request views, notices, renderings and attempts in Postgres; wording and roles in data files."""

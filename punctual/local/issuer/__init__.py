"""An OpenID Connect issuer for the local system: it signs staff in with accounts from a file.

Owns the accounts, the signing keys and the sessions of one local system. Hears browsers and `punctual login`. Says
tokens. In production the insurer's own issuer stands in its place.
"""

"""Owns: notices, templates, the roles directory, delivery attempts.
Hears: request events, clock events, contacts.
Says: notice sent, failed, suppressed; contact erased.
"""

"""The front door and the record of every request.

Owns: requests, their stages and append-only history, process definitions, customers' contact details, API keys, and the
    log of who read personal data.
Hears: clocks, to show deadlines and the expected time; clocks, notices and reviews for the timeline of a request.
Says: request events (topic ``punctual.requests``) and contacts (topic ``punctual.contacts``).
"""

"""A mail server that delivers nothing: it keeps what it is given on disk and shows it in a browser.

Owns the mails of one local system. Hears SMTP. Says nothing. It stands apart from the services, as a real relay would.
"""

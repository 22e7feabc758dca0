"""Programs that a user would otherwise pick, doing the same work on the same Postgres.

Nothing of them enters our environment: they run as children, with a Python of their own that has the packages of
`requirements.txt`. The modules `on_*`, `command` and `fires` are what runs there and import only the standard library,
`shared.clock` and the peer; the rest runs here.
"""

"""The whole system on one machine: real Kafka, real Postgres and the services as children of one supervisor.

``punctual.local.system.LocalSystem`` is the way in. Importing this package imports nothing heavy.
"""

"""Event logs of other systems, played through the public HTTP API of intake.

logs/      reads CSV and XES into rows, with what could not be read
mapping/   what a row means: MAP.yaml, checked; rows become events
planning   events become requests and moves, each with its instant and its idempotency key
channel/   speaks to a running system as a channel system does; the demo stands on it too
run        brings it together; report tells what came of it
"""

"""A day at an insurer, at many times real speed: customers, handlers, a reviewer, and a screen that shows what happens.

traffic, handling, catalogue, names, office_hours    what happens, planned from a seed; pure
journal, sender, reviewer                            makes it happen over the public HTTP APIs
figures, screen, lines                               shows it
run                                                  brings it together
"""

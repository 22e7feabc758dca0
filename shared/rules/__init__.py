"""The language of the house's rules: YAML whose errors name file, line and field, and conditions over facts.

Policies, process definitions, validation and automation are written in it; so are working calendars.
"""

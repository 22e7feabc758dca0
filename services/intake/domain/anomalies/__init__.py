"""Anomalies: likely duplicates, implausible values, streams that are not as they were, and how often data are wrong.

Nothing here refuses anything. What is found is a doubt for a person to confirm or dismiss, or an alarm for staff.
"""

"""Owns: the frame of closed requests, samples, reviews, the running figures of quality.
Hears: request events (what is closed enters the frame), clock events (timeliness, for every clock).
Says: sample drawn, review completed.
"""

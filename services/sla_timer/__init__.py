"""Deadlines: counts working time against policies and says when something is due, warned, breached, escalated, met.

Owns: policies, working calendars, clocks and their timers.
Hears: request events from intake.
Says: clock started, paused, resumed, retargeted, warned, breached, breach withdrawn, escalated, met, missed, cancelled.
"""

"""What the passing of time does: timers fire, changed rules are noticed, gauges are measured."""

"""Lists of requests: a walk along one index, the other conditions looked at on the way, and a bound on both."""

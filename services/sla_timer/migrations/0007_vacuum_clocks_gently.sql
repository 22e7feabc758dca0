-- Without a pause a vacuum of some hundred thousand clocks takes a whole core for seconds, and timers are late. The
-- clock of a request is not a queue: its dead rows can wait a little.
ALTER TABLE clock SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 10);

"""The command-line program and what it runs on one machine. Stands on shared and on the services' HTTP APIs."""

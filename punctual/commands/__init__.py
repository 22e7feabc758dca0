"""The subcommands of `punctual`, one module each."""

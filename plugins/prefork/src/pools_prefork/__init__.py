"""The prefork pool: jobs run in child processes."""

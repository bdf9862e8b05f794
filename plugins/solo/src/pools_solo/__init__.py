"""The solo pool: jobs run inline, one at a time, where they were submitted."""

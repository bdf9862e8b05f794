"""A batch: one call for each line of an input, one record for each call, and a run that can be resumed."""

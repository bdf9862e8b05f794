"""The yourpool pool."""

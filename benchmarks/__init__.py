"""Measurements of our pools beside their peers; see README.md."""

"""The eventlet pool: jobs run on eventlet green threads."""

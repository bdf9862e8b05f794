"""The eventlet pool: jobs run on eventlet greenlets."""

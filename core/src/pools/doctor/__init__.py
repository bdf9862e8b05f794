"""``pools doctor``: a program run in a process where every import is recorded, and what it patched too late."""

"""The threads pool: jobs run on threads."""

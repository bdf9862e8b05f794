"""Pools that are broken on purpose, each in one way; the kit has to find each, at the point that it breaks.

A class says by ``breaks`` which point that is, and by ``found_by`` which tests of it are enough to find it.
"""

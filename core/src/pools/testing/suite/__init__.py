"""The suite: one module or more for each point of the contract, run by :mod:`pools.testing.child` on one pool."""

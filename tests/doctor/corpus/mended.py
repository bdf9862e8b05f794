"""The same, patched first: nothing to find."""

import sys

if "gevent" in sys.argv:
    from gevent import monkey

    monkey.patch_all()
if "eventlet" in sys.argv:
    import eventlet

    eventlet.monkey_patch()

import main  # noqa: E402, F401

"""The process of one measurement: ``python -m benchmarks.measure MODULE REQUEST``, which speaks JSON.

Patches first, as the request says, and only then imports the module whose ``measure(request)`` it calls.
"""

from __future__ import annotations

import sys


def patch(how: str | None, pool: str) -> None:
    """Patch the standard library as ``benchmarks.catalogue.Entry.patch`` says."""
    if how == "ours":
        import pools

        pools.patch(pool)
    elif how == "gevent":
        from gevent import monkey

        monkey.patch_all()
    elif how == "eventlet":
        import eventlet

        eventlet.monkey_patch()


def main() -> None:
    """Measure what the command line asks for, and print the answer."""
    import json

    module, request = sys.argv[1], json.loads(sys.argv[2])
    patch(request["patch"], request["pool"])

    import importlib

    print(json.dumps(importlib.import_module(module).measure(request)))


if __name__ == "__main__":
    main()

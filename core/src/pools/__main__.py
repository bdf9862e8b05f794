"""``python -m pools``: the same as the command ``pools``."""

from __future__ import annotations

from pools.boot import main

if __name__ == "__main__":
    main()

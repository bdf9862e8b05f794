"""The patch: psycogreen's callback, which libpq calls wherever it would block."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def apply(options: Mapping[str, str]) -> None:
    """Have psycopg2 wait through gevent."""
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()


def is_applied() -> bool:
    """Whether psycopg2 has a callback to wait with."""
    extensions = sys.modules.get("psycopg2.extensions")
    return extensions is not None and extensions.get_wait_callback() is not None

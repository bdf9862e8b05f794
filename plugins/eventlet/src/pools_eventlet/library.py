"""The parts of eventlet that the pool uses, imported without eventlet's warning that it is deprecated.

Whoever names this pool has chosen eventlet, and ``pools list`` says what that means; the warning would come in every
program, once for each of its processes, and with warnings as errors eventlet could not be used at all.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet
    from eventlet import debug, greenthread, hubs, patcher

__all__ = ["debug", "eventlet", "greenthread", "hubs", "patcher"]

"""The green one; a module of its own, because it imports gevent."""

from __future__ import annotations

from typing import Any

from gevent.local import local

import pools
from pools_gevent.pool import GeventPool


class Sessions(GeventPool):
    """Jobs run on greenlets of gevent, and each finds a session of its slot's."""

    name = "sessions"

    def on_start(self) -> None:
        super().on_start()
        self.session = local()

    def session_here(self) -> Any:
        """The session of the calling job's slot."""
        job = pools.current_job()
        assert job is not None
        if not hasattr(self.session, "slot_id"):
            self.session.slot_id = job.slot_id
        return self.session

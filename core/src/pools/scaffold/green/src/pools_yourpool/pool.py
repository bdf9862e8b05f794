"""The pool."""

from pools_gevent.pool import GeventPool

from pools_yourpool.plugin import SPEC


class YourPool(GeventPool):
    """Jobs run on greenlets of gevent, as those of the pool gevent do.

    For another hub than gevent's, derive it from ``pools.green.GreenPool``, which says what a hub has to offer.
    """

    name = SPEC.name
    traits = SPEC.traits

    def on_start(self) -> None:
        super().on_start()
        # Here begins what all jobs share: a session, a pool of connections.

    def on_stop(self) -> None:
        # And here it ends.
        super().on_stop()

"""Our own pools pass the kit, through the same door as anybody's."""

from __future__ import annotations

import pytest

from pools.testing import PoolConformance

#: The kit has deadlines of its own.
pytestmark = pytest.mark.timeout(0)


class TestSolo(PoolConformance):
    pool_name = "solo"


class TestThreads(PoolConformance):
    pool_name = "threads"


class TestGevent(PoolConformance):
    pool_name = "gevent"


class TestEventlet(PoolConformance):
    pool_name = "eventlet"


class TestPreforkFork(PoolConformance):
    pool_name = "prefork"
    pool_options = {"start_method": "fork"}  # noqa: RUF012  # as an author writes it


class TestPreforkForkserver(PoolConformance):
    pool_name = "prefork"
    pool_options = {"start_method": "forkserver"}  # noqa: RUF012


class TestPreforkSpawn(PoolConformance):
    pool_name = "prefork"
    pool_options = {"start_method": "spawn"}  # noqa: RUF012

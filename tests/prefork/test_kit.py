"""The prefork pool passes the kit with every start method, through the same door as anybody's."""

from __future__ import annotations

import pytest

from pools.testing import PoolConformance

#: The kit has deadlines of its own.
pytestmark = pytest.mark.timeout(0)


class TestFork(PoolConformance):
    pool_name = "prefork"
    pool_options = {"start_method": "fork"}  # noqa: RUF012  # as an author writes it


class TestForkserver(PoolConformance):
    pool_name = "prefork"
    pool_options = {"start_method": "forkserver"}  # noqa: RUF012


class TestSpawn(PoolConformance):
    pool_name = "prefork"
    pool_options = {"start_method": "spawn"}  # noqa: RUF012

"""The eventlet pool passes the kit, through the same door as anybody's."""

from __future__ import annotations

import pytest

from pools.testing import PoolConformance

#: The kit has deadlines of its own.
pytestmark = pytest.mark.timeout(0)


class TestEventlet(PoolConformance):
    pool_name = "eventlet"

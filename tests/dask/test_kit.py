"""The dask pool passes the kit, with what it declares."""

from __future__ import annotations

import pytest

from pools.testing import PoolConformance

pytest.importorskip("distributed")
#: The kit has deadlines of its own.
pytestmark = pytest.mark.timeout(0)


class TestDask(PoolConformance):
    """Each of its pools is a cluster that starts and ends."""

    pool_name = "dask"

"""Point 1: each job ends in exactly one outcome, delivered exactly once, whatever races."""

from __future__ import annotations

from tests.contract.conftest import OpenPool
from tests.contract.records import apply


def test_a_job_that_returns(open_pool: OpenPool) -> None:
    """``callback(value)``, once."""
    record = apply(open_pool(), divmod, 7, 2)
    assert record.value() == (3, 1)
    record.check()


def test_a_job_that_raises(open_pool: OpenPool) -> None:
    """``error_callback(exception)``, once."""
    record = apply(open_pool(), divmod, 7, 0)
    assert isinstance(record.error(), ZeroDivisionError)
    record.check()

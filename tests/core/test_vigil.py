"""When a holding is reported: decided without a clock."""

from __future__ import annotations

from pools.vigil import Vigil

LIMIT = 1.0


def looks(vigil: Vigil, count: int, holder: object = "a", computed: float = 0.0) -> list[bool]:
    return [vigil.look(holder, False, vigil.interval, computed) for _ in range(count)]


def test_a_holder_is_reported_once_as_soon_as_it_is_certain() -> None:
    vigil = Vigil(LIMIT)
    found = looks(vigil, 60)
    assert found.count(True) == 1
    assert found.index(True) * vigil.interval >= LIMIT
    assert found.index(True) * vigil.interval <= LIMIT * 1.2


def test_a_sign_of_life_or_another_holder_begins_anew() -> None:
    vigil = Vigil(LIMIT)
    assert not any(looks(vigil, 10))
    assert not vigil.look("a", True, vigil.interval, 0.0)
    assert not any(looks(vigil, 10))
    assert not any(looks(vigil, 10, "b"))
    assert looks(vigil, 5, "b").count(True) == 1
    assert not vigil.look(None, False, vigil.interval, 0.0)
    assert looks(vigil, 25, "b").count(True) == 1, "the next time that it holds the hub"


def test_a_look_that_comes_late_counts_as_far_as_the_hub_computed() -> None:
    assert Vigil(LIMIT).look("a", True, 3.0, 2.9), "it answered, and then kept the interpreter's lock"
    assert Vigil(LIMIT).look("a", False, 3.0, 2.9)
    vigil = Vigil(LIMIT)
    assert not vigil.look("a", False, 3600.0, 0.0), "the process was stopped"
    assert not vigil.look("a", False, 3600.0, 0.5)
    assert vigil.held < LIMIT
    assert not vigil.look("a", True, 3600.0, 0.0)
    assert vigil.held == 0.0


def test_what_was_reported_is_not_reported_again_while_it_goes_on() -> None:
    vigil = Vigil(LIMIT)
    assert vigil.look("a", True, 3.0, 2.9)
    assert not any(looks(vigil, 60, computed=0.05))

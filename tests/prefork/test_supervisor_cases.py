"""The supervisor, case by case: what random events take long to hit, and what has a number to check."""

from __future__ import annotations

import pytest

from pools_prefork.recycling import BACK_OFF, Budget
from pools_prefork.roster import CHILD_MOVES, Child, ChildState
from tests.prefork.worlds import ALIVE_TIMEOUT, STALL_TIMEOUT, ModelChild, World

illegal = [(before, after) for before in ChildState for after in ChildState if after not in CHILD_MOVES[before]]


def world_of_one(jobs: int = 0, **options: int) -> tuple[World, Child, ModelChild]:
    """A world with one child, which is up and was sent so many jobs."""
    world = World(1, **options)
    ((child, model),) = world.models.items()
    model.step()
    world.read(child)
    world.submit(jobs)
    world.dispatch()
    assert len(child.hand) == jobs
    return world, child, model


def steps(model: ModelChild, count: int) -> None:
    for _ in range(count):
        model.step()


# -- States ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), illegal)
def test_an_illegal_move_raises_and_changes_nothing(before: ChildState, after: ChildState) -> None:
    child = Child(7, 0.0)
    child.state = before
    with pytest.raises(RuntimeError, match=f"^child 7 is {before.value} and cannot become {after.value}$"):
        child.move(after)
    assert child.state is before


@pytest.mark.parametrize("before", ChildState)
def test_a_legal_move_is_made(before: ChildState) -> None:
    for after in CHILD_MOVES[before]:
        child = Child(7, 0.0)
        child.state = before
        child.move(after)
        assert child.state is after


def test_a_child_does_not_die_twice() -> None:
    world, child, _ = world_of_one()
    world.mourn(child)
    with pytest.raises(RuntimeError, match="is exited and cannot become exited"):
        world.supervisor.exited(child, 0, world.now)


def test_a_shrink_takes_the_children_that_are_not_up_first() -> None:
    """However often a pool grows and shrinks, a child that is up goes on."""
    world, child, _ = world_of_one()
    for _ in range(3):
        world.perform(world.supervisor.resize(2, world.now))
        world.perform(world.supervisor.resize(1, world.now))
    assert child.state is ChildState.IDLE
    assert child.due is None


# -- Jobs taken back ---------------------------------------------------------------------------------------------------


def test_a_child_that_begins_what_is_being_taken_back_goes_on_when_it_has_ended_it() -> None:
    world, child, model = world_of_one(jobs=2)
    steps(model, 2)  # it runs the first one
    world.meanwhile = 3  # and ends it, and begins the second one
    world.cancel(child, 1)
    assert not world.cancelled
    model.step()
    world.read(child)
    assert world.ended == {1, 2}
    assert not child.revoked
    world.run_out()


def test_jobs_are_taken_back_before_the_child_has_let_go_those_behind_them() -> None:
    world, child, model = world_of_one(jobs=3)
    steps(model, 2)
    world.cancel(child, 2)
    world.cancel(child, 1)
    assert world.cancelled == {2, 3}
    world.run_out()
    assert set(world.runs) == {1}


def test_a_child_gets_nothing_before_it_has_said_what_it_let_go() -> None:
    world, child, model = world_of_one(jobs=3)
    steps(model, 2)
    world.cancel(child, 2)
    steps(model, 2)  # it ends the first, and is about to begin the second
    world.meanwhile = 4  # and does, and ends it, and lets the third go
    world.cancel(child, 1)
    world.read(child, 2)
    world.submit(2)
    world.dispatch()
    assert (list(child.hand), child.revoked) == ([], True)
    world.read(child)
    world.run_out()
    assert set(world.runs) == {1, 2, 4, 5}


def test_what_waits_behind_a_long_job_runs_elsewhere() -> None:
    world, child, model = world_of_one(jobs=10)
    steps(model, 2)
    world.perform(world.supervisor.resize(2, world.now))
    other = next(reversed(world.models))
    world.models[other].step()
    world.read(other)
    world.tick(0.01)
    world.dispatch()
    assert list(child.hand) == [1]
    assert list(other.hand) == list(range(2, 11))


def test_a_job_that_a_dead_child_had_not_begun_runs_elsewhere_and_the_one_it_ran_is_lost() -> None:
    world, child, model = world_of_one(jobs=5)
    steps(model, 5)
    assert model.running == 2
    model.alive = False
    world.mourn(child)
    assert (world.ended, world.lost, list(world.queue)) == ({1, 2}, {2}, [3, 4, 5])
    world.run_out()


# -- Children that do not do what they should --------------------------------------------------------------------------


def test_a_child_that_is_not_up_in_time_is_killed_and_replaced() -> None:
    world = World(1)
    (child,) = world.models
    world.tick(ALIVE_TIMEOUT / 2)
    assert child.killed is None
    world.tick(ALIVE_TIMEOUT / 2)
    assert child.killed == "it was not up after 10.0 s"
    world.run_out()


def test_a_child_that_does_not_begin_its_job_is_killed_and_the_job_runs_elsewhere() -> None:
    world, child, _ = world_of_one(jobs=2)
    assert world.supervisor.next_tick(world.now) < world.now + STALL_TIMEOUT
    world.tick(STALL_TIMEOUT)
    assert child.killed == "it did not begin a job within 10.0 s"
    world.run_out()
    assert (world.ended, world.lost) == ({1, 2}, set())


def test_a_child_that_does_not_let_go_what_was_taken_back_is_killed() -> None:
    world, child, _ = world_of_one(jobs=1)
    world.cancel(child, 0)
    assert world.ended == {1}
    assert world.supervisor.next_tick(world.now) < world.now + STALL_TIMEOUT
    world.tick(STALL_TIMEOUT)
    assert child.killed is not None
    world.run_out()


def test_a_child_that_does_not_exit_is_killed() -> None:
    world, child, _ = world_of_one()
    world.perform(world.supervisor.resize(0, world.now))
    assert child.state is ChildState.RETIRING
    assert world.supervisor.next_tick(world.now) < world.now + ALIVE_TIMEOUT
    world.tick(ALIVE_TIMEOUT)
    assert child.killed == "it did not exit within 10.0 s"
    world.run_out()


def test_a_child_with_a_long_job_is_left_alone() -> None:
    world, child, model = world_of_one(jobs=1)
    steps(model, 2)
    world.tick(100 * STALL_TIMEOUT)
    assert child.killed is None


# -- Recycling and the budget of restarts ------------------------------------------------------------------------------


def test_no_child_gets_more_jobs_than_it_may_have() -> None:
    world, child, _ = world_of_one(jobs=4, max_tasks=7)
    world.submit(100)
    world.run_out()
    assert child not in world.models
    assert child.done <= 7
    assert max(other.done for other in world.models) <= 7


def test_a_child_that_is_replaced_works_until_its_successor_is_up() -> None:
    world, child, model = world_of_one()
    world.perform(world.supervisor.replace(child, "restart", world.now))
    world.submit(1)
    world.dispatch()
    assert list(child.hand) == [1]
    steps(model, 3)
    world.read(child)
    assert child.works
    successor = next(reversed(world.models))
    world.models[successor].step()
    world.read(successor)
    assert child.state is ChildState.RETIRING
    world.run_out()


def test_a_budget_that_is_used_up_breaks_the_pool_after_its_back_off() -> None:
    budget = Budget()
    for attempt, seconds in enumerate(BACK_OFF):
        assert not budget.exhausted
        budget.fail(started_at=10.0 * attempt, now=10.0 * attempt)
        assert budget.not_before == 10.0 * attempt + seconds
    budget.fail(100.0, 100.0)
    assert budget.exhausted


def test_a_child_that_comes_up_restores_the_budget() -> None:
    budget = Budget()
    for now in range(20 * len(BACK_OFF)):
        budget.fail(now, now)
        budget.succeed()
    assert not budget.exhausted


def test_children_that_were_started_together_fail_together() -> None:
    world = World(8)
    children = list(world.models)
    world.tick(1.0)
    for child in children:
        world.mourn(child)
    assert not world.broken
    world.run_out()


def test_children_that_never_come_up_break_the_pool() -> None:
    world = World(1)
    started = 0
    while not world.broken:
        for child in list(world.models):
            started += 1
            world.mourn(child)
        world.tick(1.0)
    assert started == len(BACK_OFF) + 1


def test_the_children_of_a_broken_pool_still_exit_when_they_are_told_to() -> None:
    world, child, model = world_of_one()
    world.perform(world.supervisor.replace(child, "restart", world.now))
    while not world.broken:
        world.tick(1.0)
        for other in list(world.models):
            if other is not child:
                world.mourn(other)
    world.perform(world.supervisor.resize(0, world.now))
    assert child.state is ChildState.RETIRING
    model.step()
    assert not model.alive

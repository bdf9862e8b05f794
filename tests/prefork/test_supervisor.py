"""The supervisor, fed with events in any order: no job is lost, doubled or forgotten, children stay as asked."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.prefork.worlds import World

indices = st.integers(min_value=0, max_value=20)


class Supervision(RuleBasedStateMachine):
    """Everything that may happen, in any order; at the end everybody is let do their work."""

    world: World

    @initialize(
        size=st.integers(min_value=1, max_value=3),
        max_tasks=st.none() | st.integers(min_value=1, max_value=9),
        max_age=st.none() | st.floats(min_value=2.0, max_value=30.0),
    )
    def begin(self, size: int, max_tasks: int | None, max_age: float | None) -> None:
        self.world = World(size, max_tasks, max_age)
        for child, model in self.world.models.items():
            model.step()
            self.world.read(child)

    @rule(count=st.integers(min_value=1, max_value=30))
    def submit(self, count: int) -> None:
        self.world.submit(count)

    @rule(one_in=st.integers(min_value=2, max_value=9))
    def dispatch(self, one_in: int) -> None:
        self.world.dispatch(lambda job: job % one_in == 1)

    @rule(index=indices, count=st.integers(min_value=1, max_value=12))
    def work(self, index: int, count: int) -> None:
        child = self.world.pick(index)
        for _ in range(count):
            if child is not None and self.world.models[child].alive:
                self.world.models[child].step()

    @rule(index=indices, count=st.integers(min_value=1, max_value=4))
    def read(self, index: int, count: int) -> None:
        if child := self.world.pick(index):
            self.world.read(child, count)

    @rule(index=indices)
    def die(self, index: int) -> None:
        child = self.world.pick(index)
        # Else the budget of restarts would soon be used up, which has tests of its own.
        if child is not None and child.up_at is not None:
            self.world.models[child].alive = False

    @rule(index=indices)
    def mourn(self, index: int) -> None:
        child = self.world.pick(index)
        if child is not None and not self.world.models[child].alive and child.up_at is not None:
            self.world.mourn(child)

    @rule(index=indices, which=indices, meanwhile=st.integers(min_value=0, max_value=3))
    def cancel(self, index: int, which: int, meanwhile: int) -> None:
        self.world.meanwhile = meanwhile
        if child := self.world.pick(index):
            self.world.cancel(child, which)

    @rule(index=indices, reason=st.sampled_from(["memory", "restart"]))
    def replace(self, index: int, reason: str) -> None:
        if child := self.world.pick(index):
            self.world.perform(self.world.supervisor.replace(child, reason, self.world.now))

    @rule(index=indices)
    def kill(self, index: int) -> None:
        child = self.world.pick(index)
        if child is not None and child.up_at is not None:
            self.world.perform(self.world.supervisor.kill(child, "somebody wanted it"))

    @rule(size=st.integers(min_value=1, max_value=5))
    def resize(self, size: int) -> None:
        self.world.perform(self.world.supervisor.resize(size, self.world.now))

    @rule(seconds=st.sampled_from([0.0, 0.001, 0.006, 0.1, 1.0]))
    def tick(self, seconds: float) -> None:
        self.world.tick(seconds)

    @invariant()
    def all_is_well(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.run_out()


Supervision.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
TestSupervision = Supervision.TestCase

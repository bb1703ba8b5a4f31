"""Answers in a process's memory: shared, bounded, and never older than a change that was heard."""

import asyncio
import math
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from apps.core.local_cache import Bounds, Loaded, Store

KEYS = st.integers(0, 1)
ENTRIES = 1


@dataclass
class Trust:
    """A line that is sure as long as the test says so."""

    sure_until: float = math.inf

    def is_sure(self) -> bool:
        return self.sure_until == math.inf


def make_store(bounds: Bounds[str] | None = None, trust: Trust | None = None) -> Store[int, str]:
    return Store(trust or Trust(), int, bounds or Bounds(entries=100))


async def answer(value: str | None, seconds: float = 60) -> Loaded[str] | None:
    return None if value is None else Loaded(value, seconds)


async def keep(store: Store[int, str], key: int, value: str) -> None:
    assert await store.find(key, lambda: answer(value)) == value


async def test_the_same_object_is_found_again() -> None:
    store = make_store()
    value = "".join(["a", "b"])
    await keep(store, 1, value)
    assert store.peek(1) is value


async def test_absence_is_not_kept() -> None:
    store = make_store()
    assert await store.find(1, lambda: answer(None)) is None
    assert await store.find(1, lambda: answer("here")) == "here"


async def test_an_answer_has_an_age_at_which_it_ends_whatever_is_heard() -> None:
    store = make_store()
    assert await store.find(1, lambda: answer("old", seconds=0)) == "old"
    assert store.peek(1) is None


async def test_those_who_miss_together_share_one_load_also_when_the_first_leaves() -> None:
    store, loads, is_read = make_store(), 0, asyncio.Event()

    async def load() -> Loaded[str] | None:
        nonlocal loads
        loads += 1
        await is_read.wait()
        return Loaded("found", 60)

    first, *others = (asyncio.create_task(store.find(1, load)) for _ in range(5))
    await asyncio.sleep(0)
    first.cancel()
    is_read.set()
    assert await asyncio.gather(*others) == ["found"] * 4
    assert loads == 1
    assert store.peek(1) == "found"


@pytest.mark.parametrize("is_lost", [False, True])
async def test_a_load_overtaken_by_a_change_is_for_those_who_asked_before(is_lost: bool) -> None:
    store, may_answer = make_store(), asyncio.Event()

    async def load_slowly() -> Loaded[str] | None:
        await may_answer.wait()
        return Loaded("old", 60)

    overtaken = asyncio.create_task(store.find(1, load_slowly))
    await asyncio.sleep(0)
    if is_lost:
        store.clear()
    else:
        store.drop("1")
    async with asyncio.timeout(10):  # behind the overtaken one, it would wait for ever
        assert await store.find(1, lambda: answer("new")) == "new"
    may_answer.set()
    assert await overtaken == "old"
    assert store.peek(1) == "new"


async def test_a_load_that_fails_is_everybodys_failure_and_the_next_one_tries_again() -> None:
    store = make_store()

    async def fail() -> Loaded[str] | None:
        await asyncio.sleep(0)
        raise OSError("away")

    results = await asyncio.gather(store.find(1, fail), store.find(1, fail), return_exceptions=True)
    assert [type(result) for result in results] == [OSError, OSError]
    await keep(store, 1, "back")


async def test_without_a_sure_line_nothing_is_shared_kept_or_remembered() -> None:
    trust = Trust()
    store = make_store(trust=trust)
    await keep(store, 1, "known")
    trust.sure_until = 0.0
    assert store.peek(1) is None
    await keep(store, 2, "unknown")
    trust.sure_until = math.inf
    assert store.peek(2) is None


async def test_what_is_used_stays_when_there_is_no_room() -> None:
    store = make_store(Bounds(entries=3))
    for key in range(3):
        await keep(store, key, f"value {key}")
    assert store.peek(0) == "value 0"
    await keep(store, 3, "value 3")
    assert [store.peek(key) for key in range(4)] == ["value 0", None, "value 2", "value 3"]


async def test_bytes_are_bounded_too_and_what_exceeds_them_alone_is_not_kept() -> None:
    store = make_store(Bounds(entries=100, total_bytes=10, size_of=len))
    await keep(store, 1, "x" * 6)
    await keep(store, 2, "x" * 4)
    assert (store.count, store.total_bytes) == (2, 10)
    await keep(store, 3, "x")
    assert (store.peek(1), store.peek(2), store.total_bytes) == (None, "x" * 4, 5)
    await keep(store, 4, "x" * 11)
    assert (store.peek(4), store.total_bytes) == (None, 5)
    store.drop("2")
    store.drop("3")
    assert (store.count, store.total_bytes) == (0, 0)


@dataclass
class Asked:
    """Somebody who looks a key up; its load stops before and after it reads."""

    key: int
    at_least: int
    may_read: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[int | None] | None" = None


class Interleavings(RuleBasedStateMachine):
    """Look-ups, changes and their news in any order, on a line that is lost and found again."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.trust = Trust()
        self.store: Store[int, int] = Store(self.trust, int, Bounds(entries=ENTRIES))
        self.rows = {0: 0, 1: 0}
        self.news: list[int] = []
        self.is_subscribed = True
        self.asking: list[Asked] = []

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.runner.run(coroutine)

    async def settle(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)
        for asked in [one for one in self.asking if one.task and one.task.done()]:
            self.asking.remove(asked)
            assert asked.task is not None
            found = asked.task.result()
            assert found is not None
            assert found >= asked.at_least

    @rule(key=KEYS)
    def ask(self, key: int) -> None:
        # What was announced and heard before somebody asks is what they get at least.
        asked = Asked(key, 0 if key in self.news else self.rows[key])

        async def load() -> Loaded[int] | None:
            await asked.may_read.wait()
            value = self.rows[key]
            await asked.may_answer.wait()
            return Loaded(value, 60)

        async def begin() -> None:
            asked.task = asyncio.create_task(self.store.find(key, load))
            self.asking.append(asked)
            await self.settle()

        self.run(begin())

    @precondition(lambda self: self.asking)
    @rule(data=st.data(), is_whole=st.booleans())
    def go_on(self, data: st.DataObject, is_whole: bool) -> None:
        asked = data.draw(st.sampled_from(self.asking))
        asked.may_read.set()
        if is_whole:
            asked.may_answer.set()
        self.run(self.settle())

    @rule(key=KEYS)
    def change(self, key: int) -> None:
        self.rows[key] += 1
        if self.is_subscribed:
            self.news.append(key)

    @rule(key=KEYS)
    def change_in_this_process(self, key: int) -> None:
        self.change(key)
        self.store.drop(str(key))

    @precondition(lambda self: self.news and self.trust.is_sure())
    @rule()
    def hear(self) -> None:
        self.store.drop(str(self.news.pop(0)))

    @precondition(lambda self: self.trust.is_sure())
    @rule(is_lost=st.booleans())
    def doubt_the_line(self, is_lost: bool) -> None:
        self.trust.sure_until = 0.0
        if is_lost:
            self.is_subscribed = False
            self.store.clear()
            self.news.clear()

    @precondition(lambda self: not self.trust.is_sure())
    @rule()
    def confirm_the_line(self) -> None:
        # Its answer comes behind all that was published before it was asked.
        while self.news:
            self.store.drop(str(self.news.pop(0)))
        self.is_subscribed = True
        self.trust.sure_until = math.inf

    @invariant()
    def what_is_remembered_is_true_or_its_change_is_on_its_way(self) -> None:
        for key, value in self.rows.items():
            remembered = self.store.peek(key)
            assert remembered is None or remembered == value or key in self.news
            assert self.trust.is_sure() or remembered is None

    @invariant()
    def it_is_bounded(self) -> None:
        assert self.store.count <= ENTRIES

    def teardown(self) -> None:
        self.runner.close()


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestInterleavings = pytest.mark.filterwarnings("error")(TestInterleavings)

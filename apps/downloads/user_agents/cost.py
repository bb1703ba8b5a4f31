"""How many steps a pattern may take, whatever it is given: no stranger may choose our cost."""

import re
from collections.abc import Sequence
from operator import and_
from re import _constants as op  # type: ignore[attr-defined, unused-ignore]
from re import _parser  # type: ignore[attr-defined, unused-ignore]
from typing import Any, Self

from apps.downloads.user_agents.characters import EVERY, ONE_CHARACTER, characters

MAX_LENGTH = 512  # of a text that patterns are tried on
# The estimate is right in its order of magnitude for the worst of patterns, and far too high for
# most: what reaches this was measured to take less than ten milliseconds for the worst of texts.
MAX_STEPS = 30_000_000

type Node = tuple[Any, Any]

_REPEATS = frozenset({op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT})
_LOOKS = frozenset({op.ASSERT, op.ASSERT_NOT})
_BEGINNINGS = frozenset({op.AT_BEGINNING, op.AT_BEGINNING_STRING})
_ENDS = frozenset({op.AT_END, op.AT_END_STRING})


class CostlyPatternError(ValueError):
    """A pattern whose cost has no acceptable bound."""


def most_steps(pattern: str) -> float:
    """An upper estimate for texts of MAX_LENGTH characters.

    Raises CostlyPatternError for what can't be estimated, re.error for no regular expression.
    """
    return _Walk().over(_parser.parse(pattern), follow=frozenset()).steps


def check_cost(pattern: str) -> None:
    """Raises CostlyPatternError when a text could make it slow, re.error as above."""
    if most_steps(pattern) > MAX_STEPS:
        raise CostlyPatternError("may take too many steps")


def is_anchored(pattern: str) -> bool:
    """Whether it can match at the beginning of a text only."""
    tree = _parser.parse(pattern)
    return not tree.state.flags & re.MULTILINE and _begins_anchored(tree)


def _begins_anchored(nodes: Sequence[Node]) -> bool:
    if not nodes:
        return False
    operation, value = nodes[0]
    if operation is op.SUBPATTERN:
        return _begins_anchored(value[-1])
    if operation is op.BRANCH:
        return all(_begins_anchored(branch) for branch in value[1])
    return operation is op.AT and value in _BEGINNINGS


class _Walk:
    """How often the engine may arrive at a place of the pattern, and the steps up to there.

    ``is_open``: what comes next is tried at every position, since a search begins and a loop
    stops anywhere. A loop that can't go over what follows it stops at one position only.
    """

    def __init__(self, arrivals: float = 1.0, *, is_open: bool = True, closed: int = 0) -> None:
        self.arrivals = arrivals
        self.is_open = is_open
        self.closed = closed
        self.steps = 0.0

    def over(self, nodes: Sequence[Node], *, follow: frozenset[int]) -> Self:
        """Walk on over these; ``follow`` is what may come after them, empty when nothing must."""
        run: list[frozenset[int]] = []
        for index, (operation, value) in enumerate(nodes):
            if operation in ONE_CHARACTER:
                run.append(characters(operation, value))
                continue
            self._find(run)
            run = []
            self._over_one(operation, value, _first(nodes[index + 1 :], follow))
        self._find(run)
        return self

    def _find(self, run: Sequence[frozenset[int]]) -> None:
        """Characters in a row: they are at few of the positions where they are looked for."""
        if run:
            self._settle(MAX_LENGTH / _period(run))
            self.steps += self.arrivals * len(run)

    def _settle(self, positions: float) -> None:
        if self.is_open:
            self.steps += self.arrivals * MAX_LENGTH
            # One after another in the text: of k positions one order in k! is right.
            self.closed += 1
            self.arrivals *= positions / self.closed
            self.is_open = False

    def _over_one(self, operation: Any, value: Any, follow: frozenset[int]) -> None:
        if operation is op.AT:
            self._settle(1 if value in _BEGINNINGS | _ENDS else MAX_LENGTH)
        elif operation in _LOOKS:
            self._settle(MAX_LENGTH)
            self.steps += self._branch().over(value[1], follow=EVERY).steps
        elif operation in _REPEATS:
            least, most, body = value
            self._repeat(least, most, body, follow)
        elif operation is op.SUBPATTERN:
            self.over(value[-1], follow=follow)
        elif operation is op.BRANCH:
            self._join([self._branch().over(one, follow=follow) for one in value[1]])
        else:
            raise CostlyPatternError(f"uses {str(operation).lower()}")

    def _repeat(self, least: int, most: Any, body: Sequence[Node], follow: frozenset[int]) -> None:
        if most == 1:
            taken = self._branch().over(body, follow=follow)
            self._join([taken] if least else [taken, self._branch()])
            return
        if len(body) != 1 or body[0][0] not in ONE_CHARACTER:
            raise CostlyPatternError("repeats more than single characters")
        self._settle(MAX_LENGTH)
        turns = min(int(most), MAX_LENGTH)
        self.steps += self.arrivals * turns
        if characters(*body[0]) & follow:
            if turns == MAX_LENGTH:
                self.is_open = True
            else:
                self.arrivals *= turns - min(least, turns) + 1

    def _branch(self) -> "_Walk":
        return _Walk(self.arrivals, is_open=self.is_open, closed=self.closed)

    def _join(self, branches: Sequence["_Walk"]) -> None:
        self.steps += sum(branch.steps for branch in branches)
        self.arrivals = sum(branch.arrivals for branch in branches)
        self.is_open = any(branch.is_open for branch in branches)
        self.closed = min(branch.closed for branch in branches)


def _first(nodes: Sequence[Node], follow: frozenset[int]) -> frozenset[int]:
    """With which characters a text may go on that these nodes match, and then ``follow``."""
    found: frozenset[int] = frozenset()
    for node in nodes:
        leading, may_be_empty = _leading(*node)
        found |= leading
        if not may_be_empty:
            return found
    return found | follow


def _leading(operation: Any, value: Any) -> tuple[frozenset[int], bool]:
    """The characters that a node may begin with, and whether it may take none."""
    if operation in ONE_CHARACTER:
        return characters(operation, value), False
    if operation is op.SUBPATTERN:
        return _leading_of_all(value[-1])
    if operation is op.BRANCH:
        branches = [_leading_of_all(branch) for branch in value[1]]
        return frozenset().union(*(found for found, _ in branches)), any(
            may_be_empty for _, may_be_empty in branches
        )
    if operation in _REPEATS:
        found, may_be_empty = _leading_of_all(value[2])
        return found, may_be_empty or not value[0]
    return frozenset(), not (operation is op.AT and value in _ENDS)


def _leading_of_all(nodes: Sequence[Node]) -> tuple[frozenset[int], bool]:
    nothing = frozenset({-1})
    found = _first(nodes, nothing)
    return found - nothing, nothing <= found


def _period(run: Sequence[frozenset[int]]) -> int:
    """The least distance between two occurrences."""
    shifts = range(1, len(run))
    return next((n for n in shifts if all(map(and_, run[n:], run))), len(run))

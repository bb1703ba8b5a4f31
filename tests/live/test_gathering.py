"""What many ask for at about the same time is done in one go."""

import asyncio
from collections.abc import Sequence

from apps.live.gathering import Gathering


def halves(*, most: int) -> tuple[Gathering[int, int], list[list[int]]]:
    """Something that answers even numbers and fails for odd ones; and what it was asked at once."""
    asked: list[list[int]] = []

    async def do(numbers: Sequence[int]) -> list[int | Exception]:
        asked.append(list(numbers))
        return [ValueError(n) if n % 2 else n // 2 for n in numbers]

    return Gathering(do, most=most), asked


async def ask_all(gathering: Gathering[int, int], numbers: Sequence[int]) -> list[object]:
    asking = (gathering.ask(number, within_seconds=0.001) for number in numbers)
    return await asyncio.gather(*asking, return_exceptions=True)


def test_each_gets_its_own_answer_or_error_and_no_more_than_so_many_are_asked_at_once() -> None:
    gathering, asked = halves(most=2)

    answers = asyncio.run(ask_all(gathering, [2, 3, 4, 6, 8]))

    assert [str(answer) for answer in answers] == ["1", "3", "2", "3", "4"]
    assert isinstance(answers[1], ValueError)
    assert asked == [[2, 3], [4, 6], [8]]


def test_whoever_went_away_is_not_asked_for() -> None:
    gathering, asked = halves(most=10)

    async def leave_one() -> int:
        one = asyncio.create_task(gathering.ask(2, within_seconds=0.01))
        other = asyncio.create_task(gathering.ask(4, within_seconds=0.01))
        await asyncio.sleep(0)
        one.cancel()
        return await other

    assert asyncio.run(leave_one()) == 2
    assert asked == [[4]]


def test_what_fails_as_a_whole_fails_for_all_and_the_next_round_begins_anew() -> None:
    rounds: list[int] = []

    async def do(numbers: Sequence[int]) -> list[int | Exception]:
        rounds.append(len(numbers))
        if len(rounds) == 1:
            raise ConnectionError("away")
        return list(numbers)

    gathering: Gathering[int, int] = Gathering(do, most=10)

    async def twice() -> tuple[list[object], list[object]]:
        return await ask_all(gathering, [1, 2]), await ask_all(gathering, [1, 2])

    first, second = asyncio.run(twice())
    assert [type(answer) for answer in first] == [ConnectionError, ConnectionError]
    assert second == [1, 2]


def test_each_event_loop_has_its_own() -> None:
    gathering, asked = halves(most=10)

    for _ in range(2):
        assert asyncio.run(ask_all(gathering, [2])) == [1]

    assert asked == [[2], [2]]

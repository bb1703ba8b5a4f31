"""What many open connections ask for at about the same time, done in one go."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakKeyDictionary


class Gathering[Asked, Answer]:
    """Calls ``do`` with what was asked within a stretch of time, at most ``most`` at once.

    It answers each in order; an answer that is an exception is raised for whoever asked.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer | Exception]]],
        *,
        most: int,
    ) -> None:
        self._do = do
        self._most = most
        # The futures of a loop live as long as it does.
        self._waiting: WeakKeyDictionary[
            asyncio.AbstractEventLoop, list[tuple[Asked, asyncio.Future[Answer]]]
        ] = WeakKeyDictionary()
        self._rounds: set[asyncio.Task[None]] = set()  # or they may be collected half-way

    async def ask(self, asked: Asked, *, within_seconds: float) -> Answer:
        """The answer, after so many seconds and what it takes; others may ask meanwhile."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting.setdefault(loop, [])
        future: asyncio.Future[Answer] = loop.create_future()
        waiting.append((asked, future))
        if len(waiting) == 1:
            task = loop.create_task(self._gather(within_seconds))
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)
        return await future

    async def _gather(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        asked = self._waiting.pop(asyncio.get_running_loop())
        for first in range(0, len(asked), self._most):
            await self._answer(asked[first : first + self._most])

    async def _answer(self, asked: Sequence[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        there = [(one, future) for one, future in asked if not future.done()]
        if not there:
            return
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._do([one for one, _ in there])
        except Exception as error:
            answers = [error] * len(there)
        for (_, future), answer in zip(there, answers, strict=True):
            if future.done():  # whoever asked has gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

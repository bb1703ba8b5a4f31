"""A list of 100 episodes through the API, beside the same list written naively and by hand.

All three run in this process, from a signed-in request to the bytes of the answer, in turns; only
ours also counts the request, checks its parameters, cuts a page and tags the answer. Before
anything is timed, the three documents are compared.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.test import force_authenticate

from api.episodes.views import EpisodesView
from apps.accounts.models import User
from apps.core import interpreter
from bench.figure import Figure
from bench.goals import NAIVE_LIST, WRITTEN_LIST
from bench.load.bodies import FaultError
from bench.peers.naive_list import NaiveList
from bench.peers.written_list import written_list
from bench.scenario import Scene
from bench.stored import Seeded

ROWS = 100

type List = Callable[[], bytes]


def measure_lists(scene: Scene) -> Iterator[Figure]:
    """Ratios of medians; the medians themselves stand in the notes."""
    interpreter.prepare()  # as in a web process
    yield from time_lists(scene.seeded, rows=ROWS, tries=scene.extent.list_tries)


def time_lists(seeded: Seeded, *, rows: int, tries: int) -> Iterator[Figure]:
    """The same for a show that is there."""
    lists = lists_of(seeded, rows=rows)
    _compare({name: make() for name, make in lists.items()})
    ours, naive, written = _medians(lists, tries)
    note = f"{rows} rows: ours {ours:.2f} ms, naive {naive:.2f} ms, by hand {written:.2f} ms"
    yield Figure("list: naive serializers to ours", naive / ours, "", NAIVE_LIST, note=note)
    yield Figure(
        "list: ours to values() and JSON", ours / written, "times", WRITTEN_LIST, note=note
    )


def lists_of(seeded: Seeded, *, rows: int) -> dict[str, List]:
    """Each way to answer, as a function that makes the bytes."""
    user, factory, show = User.objects.get(email=seeded.email), RequestFactory(), seeded.show
    ours, naive = EpisodesView.as_view(), NaiveList.as_view()

    def request() -> Any:
        made = factory.get("/api/v1/shows/episodes/", {"page_size": rows})
        force_authenticate(made, user=user)
        made.user = user
        return made

    def body(answer: Any) -> bytes:
        rendered: HttpResponse = answer.render() if hasattr(answer, "render") else answer
        if rendered.status_code != 200:
            raise FaultError(f"a list was answered {rendered.status_code}")
        return bytes(rendered.content)

    return {
        "ours": lambda: body(ours(request(), show_id=show)),
        "naive": lambda: body(naive(request(), show_id=show, count=rows)),
        "by hand": lambda: body(written_list(request(), show, rows)),
    }


def _compare(bodies: dict[str, bytes]) -> None:
    """Of what is not the same document, the speed is of no interest."""
    ours = json.loads(bodies["ours"])["results"]
    for name in ("naive", "by hand"):
        if json.loads(bodies[name]) != ours:
            raise FaultError(f"the list made {name} is another one")


def _medians(lists: dict[str, List], tries: int) -> list[float]:
    times: dict[str, list[float]] = {name: [] for name in lists}
    for _ in range(tries):
        for name, make in lists.items():
            begin = time.perf_counter()
            make()
            times[name].append((time.perf_counter() - begin) * 1000)
    return [statistics.median(found) for found in times.values()]

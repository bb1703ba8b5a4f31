"""What a list or a nested read costs: the same queries, however many rows there are."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

SIZES = (1, 20, 200)


def rows_of_page(body: Any) -> int:
    """How many rows a page has."""
    return len(body["results"])


def assert_constant_queries(
    client: Client,
    address: str,
    grow: Callable[[int], object],
    *,
    count: Callable[[Any], int] = rows_of_page,
    sizes: Sequence[int] = SIZES,
    at_most: int | None = None,
    there: int = 0,
) -> None:
    """The address is answered with the same number of queries at each of the sizes.

    ``grow(n)`` adds n rows to the ``there`` that it begins with; ``count`` says how many rows an
    answer shows, so that an answer that shows none can't pass. For a list, the address gets
    ``page_size=200``; for a nested read give the ``count`` of what is nested. ``at_most`` bounds
    the number itself.
    """
    if count is rows_of_page:
        address += ("&" if "?" in address else "?") + "page_size=200"
    costs: dict[int, list[str]] = {}
    for size in sizes:
        grow(size - there)
        there = size
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        assert response.status_code == 200, response.content
        assert count(response.json()) == size, address
        costs[size] = [query["sql"] for query in queries.captured_queries]
    numbers = {size: len(asked) for size, asked in costs.items()}
    told = "\n".join(costs[sizes[-1]][:20])
    assert len(set(numbers.values())) == 1, f"{address}: {numbers} queries\n{told}"
    assert at_most is None or numbers[sizes[0]] <= at_most, f"{address}: {numbers}\n{told}"

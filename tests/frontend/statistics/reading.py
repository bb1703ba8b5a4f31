"""Statistics pages and files as tests read them."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from lxml import html

from podcasts.models import Episode

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)


def of_show(episode: Episode, rest: str = "") -> str:
    return f"/studio/shows/{episode.show_id}/statistics/{rest}"


def of_episode(episode: Episode, rest: str = "") -> str:
    return f"/studio/episodes/{episode.pk}/statistics/{rest}"


def read(client: Client, address: str, **headers: str) -> Any:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return html.fromstring(answer.content.decode())


def texts(tree: Any, xpath: str) -> list[str]:
    return [" ".join(found.text_content().split()) for found in tree.xpath(xpath)]


def card(tree: Any, name: str) -> Any:
    (found,) = tree.xpath(f'//section[@aria-labelledby="{name}-title"]')
    return found


def words(tree: Any) -> list[str]:
    """What the points of a chart say, in order."""
    return [
        title.text_content() for title in tree.xpath(".//*[@role='img']/*[local-name()='title']")
    ]


def rows_of(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode())))

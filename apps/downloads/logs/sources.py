"""Add and change the places where logs are read, and the tables of what other hosts' paths mean."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import Organization
from apps.downloads.logs.formats import UNUSABLE
from apps.downloads.logs.mapping import decoded_path
from apps.downloads.logs.models import LogPath, LogSource
from apps.downloads.logs.places import PlaceError, place_at
from apps.downloads.logs.records import split_target
from podcasts.models import Episode, Show

_GROUPS = {"episode", "guid", "slug"}
_ROWS_AT_ONCE = 1000


def save_source(source: LogSource, **changes: Any) -> LogSource:
    """Store a new or changed source; raises ValidationError with what is wrong with it."""
    for name, value in changes.items():
        setattr(source, name, value)
    source.full_clean()
    errors = list(_problems(source))
    if errors:
        raise ValidationError(errors)
    source.save()
    return source


def find_organization(text: str) -> Organization:
    """The one with this id; raises ValidationError."""
    found = Organization.objects.filter(id=text).first() if _is_uuid(text) else None
    if found is None:
        raise ValidationError(f"There is no organisation with the id {text}.")
    return found


def find_show(text: str) -> Show:
    """The one with this id; raises ValidationError."""
    found = Show.objects.filter(id=text).first() if _is_uuid(text) else None
    if found is None:
        raise ValidationError(f"There is no show with the id {text}.")
    return found


def _problems(source: LogSource) -> Iterator[str]:
    try:
        place_at(source.place)
    except PlaceError as error:
        yield str(error)
    try:
        source.layout.lines()
    except UNUSABLE as error:
        yield str(error)
    if source.show is not None and source.show.organization_id != source.organization_id:
        yield "The show belongs to another organisation than the source."
    yield from _problems_of_pattern(source)


def _problems_of_pattern(source: LogSource) -> Iterator[str]:
    if not source.path_pattern:
        return
    try:
        groups = set(re.compile(source.path_pattern).groupindex)
    except re.error as error:
        yield f"The path pattern is no regular expression: {error}."
        return
    if not groups & _GROUPS:
        yield "The path pattern needs a group (?P<episode>…), (?P<guid>…) or (?P<slug>…)."
    if groups & {"guid", "slug"} and source.show_id is None:
        yield "The guids and slugs of a path pattern are those of a show: name it."


@dataclass(frozen=True, slots=True)
class Mapped:
    """What became of a table: ``unknown`` are the numbers of rows that name no episode."""

    paths: int
    unknown: tuple[int, ...]


def map_paths(source: LogSource, table: Iterable[str]) -> Mapped:
    """Take a table (CSV: path or address, episode's id or guid); a path's last row holds.

    Raises ValidationError when the source belongs to nobody.
    """
    if source.organization_id is None:
        raise ValidationError("Paths of other hosts need a source that belongs to an organisation.")
    stored, unknown = 0, list[int]()
    rows = enumerate(csv.reader(table), start=1)
    with transaction.atomic():
        for group in batched(rows, _ROWS_AT_ONCE, strict=False):
            named = [(number, row[0], row[1].strip()) for number, row in group if len(row) >= 2]
            episodes = _episodes(source, {text for _, _, text in named})
            found = {_path(path): episodes[text] for _, path, text in named if text in episodes}
            stored += len(_store(source, found))
            good = {number for number, _, text in named if text in episodes}
            unknown += [number for number, row in group if row and number not in good]
    return Mapped(stored, tuple(unknown))


def _episodes(source: LogSource, texts: set[str]) -> dict[str, UUID]:
    """Ids of the organisation's episodes by what names them; a guid must be one episode's only."""
    own = Episode.objects.filter(organization=source.organization)
    if source.show_id is not None:
        own = own.filter(show_id=source.show_id)
    found: dict[str, UUID] = {}
    twice = set[str]()
    for guid, episode in own.filter(guid__in=texts).values_list("guid", "id"):
        twice |= {guid} & found.keys()
        found[guid] = episode
    ids = {text: UUID(text) for text in texts if _is_uuid(text)}
    known = set(own.filter(id__in=ids.values()).values_list("id", flat=True))
    by_id = {text: episode for text, episode in ids.items() if episode in known}
    return {text: episode for text, episode in found.items() if text not in twice} | by_id


def _store(source: LogSource, found: dict[str, UUID]) -> list[LogPath]:
    return LogPath.objects.bulk_create(
        [LogPath(source=source, path=path, episode_id=episode) for path, episode in found.items()],
        update_conflicts=True,
        unique_fields=["source", "path"],
        update_fields=["episode"],
    )


def _path(written: str) -> str:
    """The path in a table, where there may be a whole address."""
    written = written.strip()
    if urlsplit(written).scheme in {"http", "https"}:
        written = split_target(written)[0]
    return decoded_path(written.partition("?")[0])


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

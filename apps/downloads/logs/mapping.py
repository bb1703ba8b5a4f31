"""Which episode's audio the paths of a log mean: looked up for many records at a time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from urllib.parse import parse_qs, unquote
from uuid import UUID

from apps.core.clock import now
from apps.downloads.logs.audio_versions import Audio, audio_of_episodes, audio_under_keys
from apps.downloads.logs.models import MAX_PATH, LogPath, LogSource
from apps.downloads.logs.records import LogRecord
from apps.media.delivery import PURPOSE
from podcasts.models import Episode
from podcasts.previews import PARAMETER

_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_STABLE = re.compile(rf"/media/({_UUID})/([^/]*)")
_STORED = re.compile(r"(?:^|/)(renditions/[0-9a-f]{2}/[0-9a-f]{64}(?:\.[a-z0-9]{1,8})?)$")
# See delivery.decision.cdn_name.
_VERSIONED = re.compile(r".*-([0-9a-f]{12})\.[a-z0-9]{1,8}")
# Of paths that are remembered: whoever asks for them chooses how many there are, and how long.
_REMEMBERED_CHARACTERS = 8_000_000


class SkipReason(StrEnum):
    """Why a record is handed to nobody; stored, so a value never changes."""

    OTHER_PATH = "other_path"
    UNKNOWN_EPISODE = "unknown_episode"
    OTHER_ORGANIZATION = "other_organization"
    AMBIGUOUS = "ambiguous"
    PREVIEW = "preview"
    METHOD = "method"
    REDIRECT = "redirect"
    TOO_EARLY = "too_early"
    RANGE_UNKNOWN = "range_unknown"
    REPEATED = "repeated"
    UNCOUNTABLE = "uncountable"

    @property
    def label(self) -> str:
        """The reason in words, for people."""
        return _LABELS[self]


_LABELS = {
    SkipReason.OTHER_PATH: "not about an episode's audio",
    SkipReason.UNKNOWN_EPISODE: "of an episode that is not known",
    SkipReason.OTHER_ORGANIZATION: "of an episode of another organisation",
    SkipReason.AMBIGUOUS: "of a file that several episodes have",
    SkipReason.PREVIEW: "made by the studio's preview player",
    SkipReason.METHOD: "neither GET nor HEAD",
    SkipReason.REDIRECT: "sent on to somebody else, who has a log",
    SkipReason.TOO_EARLY: "before the source begins",
    SkipReason.RANGE_UNKNOWN: "of several ranges at once, which the log doesn't tell",
    SkipReason.REPEATED: "repeated",
    SkipReason.UNCOUNTABLE: "at which the counter failed: see the log of the worker",
}

type Versions = tuple[Audio, ...]
type Meaning = Versions | SkipReason


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A stored file that several episodes have: a signed address says in its query for which."""

    versions: Versions
    unnamed: Meaning  # where the query names none of them

    def meaning(self, query: str) -> Meaning:
        """The episode's that the query names."""
        named = parse_qs(query).get(PURPOSE, [""])[0]
        return tuple(v for v in self.versions if str(v.episode) == named) or self.unnamed


def decoded_path(path: str) -> str:
    """A path as a table of paths has it: percent-decoded, and such that PostgreSQL can hold it."""
    text = unquote(path).encode("utf-8", "replace").decode()
    return text.replace("\x00", "\ufffd")[:MAX_PATH]


class Mapping:
    """What paths mean to one source; remembered for as long as this object is kept."""

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._known: dict[str, Meaning | SharedFile] = {}
        self._characters = 0

    def learn(self, records: Iterable[LogRecord]) -> None:
        """Look up all paths of these records that are not known yet, in a few queries."""
        if self._characters > _REMEMBERED_CHARACTERS:
            self._known.clear()
            self._characters = 0
        unknown = {record.path for record in records} - self._known.keys()
        if not unknown:
            return
        self._characters += sum(map(len, unknown))
        self._known.update(dict.fromkeys(unknown, SkipReason.OTHER_PATH))
        self._learn_stable(unknown)
        self._learn_stored(unknown)
        if self._source.organization_id is not None:
            self._learn_foreign({path for path in unknown if self._is_open(path)})

    def audio(self, record: LogRecord) -> Audio | SkipReason:
        """The file that the record is about; its path must have been learned."""
        meaning = self._known[record.path]
        if isinstance(meaning, SharedFile):
            meaning = meaning.meaning(record.query)
        if isinstance(meaning, SkipReason):
            return meaning
        if PARAMETER in record.query and PARAMETER in parse_qs(record.query):
            return SkipReason.PREVIEW
        # Which of them it was then: the last that was there before, else the first of all.
        before = [version for version in meaning if version.since_ms <= record.began_at_ms]
        return before[-1] if before else meaning[0]

    def _is_open(self, path: str) -> bool:
        return self._known[path] is SkipReason.OTHER_PATH

    def _learn_stable(self, paths: Iterable[str]) -> None:
        """Longwave's own addresses, and those of a CDN that reads Longwave."""
        found = {path: match for path in paths if (match := _STABLE.fullmatch(path))}
        versions = audio_of_episodes(UUID(match[1]) for match in found.values())
        for path, match in found.items():
            of_episode = versions.get(UUID(match[1]), ())
            named = _VERSIONED.fullmatch(unquote(match[2]))
            exact = [v for v in of_episode if named and v.sha256.startswith(named[1])]
            self._known[path] = self._own(tuple(exact) or of_episode)

    def _learn_stored(self, paths: Iterable[str]) -> None:
        """Keys of the bucket, where that is what the CDN reads."""
        found = {path: match[1] for path in paths if (match := _STORED.search(path))}
        versions = audio_under_keys(found.values())
        for path, key in found.items():
            self._known[path] = _told_apart(self._own(versions.get(key, ())))

    def _own(self, versions: Versions) -> Meaning:
        """A source of an organisation counts for nobody else."""
        if not versions:
            return SkipReason.UNKNOWN_EPISODE
        owner = self._source.organization_id
        own = tuple(v for v in versions if owner in (None, v.organization))
        return own or SkipReason.OTHER_ORGANIZATION

    def _learn_foreign(self, paths: set[str]) -> None:
        """Paths of another host, by the source's table and by its regular expression."""
        decoded = {path: decoded_path(path) for path in paths}
        episodes = self._in_table(decoded)
        for find in (self._by_id, self._by_guid, self._by_slug):
            episodes = find({p: d for p, d in decoded.items() if p not in episodes}) | episodes
        versions = audio_of_episodes(episodes.values())
        for path, episode in episodes.items():
            self._known[path] = self._own(versions.get(episode, ()))

    def _in_table(self, decoded: dict[str, str]) -> dict[str, UUID]:
        rows = LogPath.objects.filter(source=self._source, path__in=set(decoded.values()))
        table = dict(rows.values_list("path", "episode_id"))
        return {path: table[written] for path, written in decoded.items() if written in table}

    def _by_id(self, decoded: dict[str, str]) -> dict[str, UUID]:
        texts = self._matched(decoded, "episode")
        return {path: UUID(text) for path, text in texts.items() if re.fullmatch(_UUID, text)}

    def _by_guid(self, decoded: dict[str, str]) -> dict[str, UUID]:
        return self._in_show(self._matched(decoded, "guid"), "guid")

    def _by_slug(self, decoded: dict[str, str]) -> dict[str, UUID]:
        return self._in_show(self._matched(decoded, "slug"), "slug")

    def _in_show(self, texts: dict[str, str], field: str) -> dict[str, UUID]:
        if not texts or self._source.show_id is None:
            return {}
        rows = Episode.objects.filter(
            show_id=self._source.show_id, **{f"{field}__in": set(texts.values())}
        )
        ids = dict(rows.values_list(field, "id"))
        return {path: ids[text] for path, text in texts.items() if text in ids}

    def _matched(self, decoded: dict[str, str], group: str) -> dict[str, str]:
        if self._pattern is None or group not in self._pattern.groupindex:
            return {}
        found = ((path, self._pattern.search(written)) for path, written in decoded.items())
        return {path: match[group] for path, match in found if match and match[group]}

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return re.compile(self._source.path_pattern) if self._source.path_pattern else None


def _told_apart(meaning: Meaning) -> Meaning | SharedFile:
    """Of several episodes with the same file, the one that is public unless the query says more."""
    if isinstance(meaning, SkipReason) or len({v.episode for v in meaning}) == 1:
        return meaning
    episodes = [version.episode for version in meaning]
    public = set(
        Episode.objects.published(now()).filter(id__in=episodes).values_list("id", flat=True)
    )
    left = tuple(version for version in meaning if version.episode in public)
    return SharedFile(meaning, left if len(public) == 1 else SkipReason.AMBIGUOUS)

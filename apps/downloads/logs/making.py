"""Hits out of the records of a log."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import UUID

from apps.downloads.hit import Hit
from apps.downloads.intervals import Interval
from apps.downloads.logs.audio_versions import Audio
from apps.downloads.logs.mapping import Mapping, SkipReason
from apps.downloads.logs.models import LogSource
from apps.downloads.logs.records import LogRecord, sent_intervals

# The rules tally HEAD as such; other methods are nobody's listening (apps/downloads/report.py).
_METHODS = {"GET", "HEAD"}
# Longwave counts its own redirects, provisionally; in a log they would stand for nothing.
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(slots=True)
class Made:
    """What some records come to."""

    hits: list[Hit] = field(default_factory=list)
    skipped: Counter[SkipReason] = field(default_factory=Counter)


class HitMaker:
    """Makes hits of the records of one source."""

    def __init__(self, source: LogSource, mapping: Mapping) -> None:
        self._id_key = source.id.bytes
        self._not_before_ms = int(source.not_before.timestamp() * 1000)
        self._mapping = mapping

    def make(self, records: Sequence[LogRecord]) -> Made:
        """Hits of these records; each id once, for a log repeats itself."""
        self._mapping.learn(records)
        made = Made()
        seen = set[str]()
        for record in records:
            if record.request_id in seen:
                made.skipped[SkipReason.REPEATED] += 1
                continue
            seen.add(record.request_id)
            hit = self._hit(record)
            if isinstance(hit, SkipReason):
                made.skipped[hit] += 1
            else:
                made.hits.append(hit)
        return made

    def _hit(self, record: LogRecord) -> Hit | SkipReason:
        audio = self._mapping.audio(record)
        if isinstance(audio, SkipReason):
            return audio
        if record.method not in _METHODS:
            return SkipReason.METHOD
        if record.status in _REDIRECTS:
            return SkipReason.REDIRECT
        if record.began_at_ms < self._not_before_ms:
            return SkipReason.TOO_EARLY
        sent = sent_intervals(record, audio.size_bytes)
        if sent is None:
            return SkipReason.RANGE_UNKNOWN
        return self._made(record, audio, sent)

    def _made(self, record: LogRecord, audio: Audio, sent: tuple[Interval, ...]) -> Hit:
        return Hit(
            id=self._id(record.request_id),
            at=record.began_at_ms,
            episode=audio.episode,
            show=audio.show,
            organization=audio.organization,
            rendition=audio.rendition,
            size=audio.size_bytes,
            header=audio.header_bytes,
            duration_ms=audio.duration_ms,
            method=record.method,
            status=record.status,
            ip=record.ip,
            agent=record.agent,
            range=_asked(record),
            sent=sent,
            referrer=record.referrer,
            country=record.country,
        )

    def _id(self, request_id: str) -> UUID:
        """The same for a repeated row, another one in every source."""
        name = request_id.encode("utf-8", "surrogatepass")
        return UUID(bytes=blake2b(name, digest_size=16, key=self._id_key).digest())


def _asked(record: LogRecord) -> str:
    """The range, as the rule about probes wants it; where only the answer is known, that."""
    if record.asked_range or record.first_byte is None or record.last_byte is None:
        return record.asked_range
    return f"bytes={record.first_byte}-{record.last_byte}"

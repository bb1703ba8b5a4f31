"""Count the downloads in the access logs of CDNs and proxies; see docs/cdn-logs.md."""

import signal
import sys
import time
from argparse import BooleanOptionalAction
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.core.clock import now
from apps.downloads import history
from apps.downloads.agents import classify
from apps.downloads.hit import Hit
from apps.downloads.locks import BusyError
from apps.downloads.logs.audio_versions import remember_current
from apps.downloads.logs.formats import LogFormat
from apps.downloads.logs.importing import Progress
from apps.downloads.logs.models import LogFile, LogSource
from apps.downloads.logs.seam import as_messages, count_hits
from apps.downloads.logs.sources import find_organization, save_source
from apps.downloads.logs.sweeping import Sweeper, Swept
from apps.downloads.networks import data_centres
from apps.downloads.rules import DropReason, judge
from apps.downloads.window import epoch_ms, open_day

FOLLOW_SECONDS = 10.0
_BEGINNING = datetime.fromtimestamp(0, UTC)
_TOLD_EVERY_SECONDS = 1.0


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", nargs="*", help="names of sources; all active ones without")
        parser.add_argument("--folder", help="read this folder, or s3://bucket/prefix, once")
        parser.add_argument("--format", choices=LogFormat.values, help="of the logs in --folder")
        parser.add_argument(
            "--description", default="", help="nginx's log_format, or CloudFront's field names"
        )
        parser.add_argument("--organization", help="id: count --folder for its episodes only")
        parser.add_argument(
            "--history",
            action="store_true",
            help="count the closed days in --folder too, of shows that have no downloads then",
        )
        parser.add_argument("--follow", action="store_true", help="go on until told to stop")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be counted, and store nothing"
        )
        parser.add_argument("--progress", action=BooleanOptionalAction, default=sys.stderr.isatty())

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            if options["follow"]:
                raise CommandError("--dry-run reads once: leave --follow away.")
            with transaction.atomic():
                self._run(options, Event(), count=_Rehearsal(self.stdout.write))
                transaction.set_rollback(True)
            return
        if options["history"]:
            self._import_history(options)
            return
        self._run(options, _stop_on_signals(), count=count_hits)

    def _import_history(self, options: dict[str, Any]) -> None:
        """In one transaction: what is stopped, or can't be read, leaves nothing."""
        if options["follow"] or not options["folder"]:
            raise CommandError("--history takes a --folder, and reads it once, without --follow.")
        stop = _stop_on_signals()
        try:
            with history.importing() as found:
                self._run(
                    options, stop, count=lambda hits, also: found.count(as_messages(hits), also)
                )
                if stop.is_set():
                    raise CommandError("Stopped: nothing was imported.")
        except BusyError as error:
            raise CommandError(str(error)) from error
        if found.left_alone:
            self.stdout.write(
                f"{len(found.left_alone):,} days of shows had downloads already and stay as they "
                f"are ({found.left_alone.total():,} requests)."
            )

    def _run(self, options: dict[str, Any], stop: Event, *, count: Any) -> None:
        sources = _sources(options)
        meter = _Meter(self.stderr.write if options["progress"] else None)
        sweeper = Sweeper(
            count, tell=meter, has_to_stop=stop.is_set, deletes=not options["dry_run"]
        )
        while True:
            remember_current()
            swept = [self._sweep(sweeper, source) for source in sources]
            if not options["follow"] or stop.wait(FOLLOW_SECONDS):
                break
        if isinstance(count, _Rehearsal):
            count.tell()
        if not options["follow"] and any(one.problems or one.is_busy for one in swept):
            raise CommandError("Not everything could be read: see above.", returncode=1)

    def _sweep(self, sweeper: Sweeper, source: LogSource) -> Swept:
        began = time.monotonic()
        swept = sweeper.sweep(source)
        for problem in swept.problems:
            self.stderr.write(self.style.ERROR(f"{source}: {problem}"))
        if swept.is_busy:
            self.stderr.write(self.style.ERROR(f"{source} is being read by another process."))
        if swept.read.lines or swept.deleted:
            seconds = max(time.monotonic() - began, 1e-3)
            self.stdout.write(f"{source}: {_in_words(swept, seconds)}")
            for reason, number in swept.read.skipped.most_common():
                self.stdout.write(f"    {number:>10,} requests {reason.label}")
        return swept


def _sources(options: dict[str, Any]) -> Sequence[LogSource]:
    if options["folder"]:
        if options["source"] or not options["format"]:
            raise CommandError("--folder takes a --format, and no names of sources.")
        return [_source_of_folder(options)]
    if not options["source"]:
        return list(LogSource.objects.filter(is_active=True))
    named = {source.name: source for source in LogSource.objects.all()}
    missing = [name for name in options["source"] if name not in named]
    if missing:
        raise CommandError(f"There is no source {', '.join(missing)}: see log_source list.")
    return [named[name] for name in options["source"]]


def _source_of_folder(options: dict[str, Any]) -> LogSource:
    """A source that nobody follows: it remembers how far its files were read."""
    address = str(options["folder"])
    if not address.startswith("s3://"):
        address = str(Path(address).resolve())
    # Read again for its closed days, whatever was read of it before.
    kind = "history" if options["history"] else "folder"
    name = f"{kind}-{sha256(address.encode()).hexdigest()[:12]}"
    source = LogSource.objects.filter(name=name).first() or LogSource(name=name, is_active=False)
    if options["history"]:
        source.not_before = _BEGINNING
    try:
        owner = options["organization"] and find_organization(options["organization"])
        return save_source(
            source,
            place=address,
            format=options["format"],
            description=options["description"],
            organization=owner or None,
        )
    except ValidationError as error:
        raise CommandError("\n".join(error.messages)) from error


def _in_words(swept: Swept, seconds: float) -> str:
    read = swept.read
    words = (
        f"{swept.files:,} files, {read.lines:,} lines ({read.lines / seconds:,.0f} a second), "
        f"{read.hits:,} hits, {read.bad_lines:,} bad lines"
    )
    return f"{words}, {swept.deleted:,} files deleted" if swept.deleted else words


class _Meter:
    """Shows now and then how far a file is."""

    def __init__(self, write: Callable[[str], object] | None) -> None:
        self._write = write
        self._told_at = 0.0

    def __call__(self, file: LogFile, progress: Progress) -> None:
        moment = time.monotonic()
        if self._write is None or moment - self._told_at < _TOLD_EVERY_SECONDS:
            return
        self._told_at = moment
        self._write(f"{file.name}: {file.line_number:,} lines, {file.bad_lines:,} bad")


class _Rehearsal:
    """Judges hits and counts nothing."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._accepted = 0
        self._dropped = Counter[DropReason]()

    def __call__(self, hits: Sequence[Hit], also: Callable[[], None]) -> None:
        now_ms = epoch_ms(now())
        for hit in hits:
            verdict = judge(
                hit,
                agent=classify(hit.agent),
                day=open_day(hit.at, now_ms=now_ms),
                data_centres=data_centres(),
            )
            if isinstance(verdict, DropReason):
                self._dropped[verdict] += 1
            else:
                self._accepted += 1
        also()

    def tell(self) -> None:
        """Say what the rules made of the hits."""
        self._write(f"The rules would accept {self._accepted:,} hits and drop:")
        for reason, number in self._dropped.most_common():
            self._write(f"    {number:>10,} {reason.label}")


def _stop_on_signals() -> Event:
    """Set by the first Ctrl-C or SIGTERM: the chunk that is being counted is committed first."""
    stop = Event()

    def leave(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    return stop

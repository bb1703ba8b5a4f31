"""The places where access logs are read: list, add, change, remove; see docs/cdn-logs.md."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Sum

from apps.downloads.logs.formats import LogFormat
from apps.downloads.logs.mapping import SkipReason
from apps.downloads.logs.models import FileState, LogSource
from apps.downloads.logs.sources import (
    find_organization,
    find_show,
    map_paths,
    save_source,
)

_SHOWN_FAILURES = 10
_SHOWN_BAD_LINES = 20
# Options that are stored as they are given.
_PLAIN = ("place", "format", "description", "delimiter", "name_pattern", "path_pattern")


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every source and how it does")
        for action, told in (("add", "a new source"), ("change", "some of a source's options")):
            _add_options(actions.add_parser(action, help=told), is_new=action == "add")
        for action, told in (
            ("show", "files that can't be read, and bad lines"),
            ("remove", "forget a source; its logs are left alone"),
        ):
            actions.add_parser(action, help=told).add_argument("name")
        paths = actions.add_parser("paths", help="take a table of another host's paths")
        paths.add_argument("name")
        paths.add_argument("table", type=Path, help="CSV: path or address, episode's id or guid")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error

    def _list(self, options: dict[str, Any]) -> None:
        for source in LogSource.objects.select_related("organization"):
            state = "read" if source.is_active else "not followed"
            self.stdout.write(
                f"{source.name}: {source.format} at {source.place}, {state}, "
                f"for {source.organization or 'everybody'}"
            )
            if source.complete_at:
                self.stdout.write(f"    complete at {source.complete_at:%Y-%m-%d %H:%M} UTC")
            for line in source.error.splitlines():
                self.stdout.write(self.style.ERROR(f"    {line}"))

    def _add(self, options: dict[str, Any]) -> None:
        source = save_source(LogSource(name=options["name"]), **_changes(options))
        self.stdout.write(
            f"{source.name} is read from now on; requests before "
            f"{source.not_before:%Y-%m-%d %H:%M} UTC are passed over."
        )

    def _change(self, options: dict[str, Any]) -> None:
        save_source(_named(options["name"]), **_changes(options))
        self.stdout.write(f"{options['name']} is changed.")

    def _remove(self, options: dict[str, Any]) -> None:
        _named(options["name"]).delete()
        self.stdout.write(f"{options['name']} is forgotten.")

    def _show(self, options: dict[str, Any]) -> None:
        source = _named(options["name"])
        files = source.files.exclude(state=FileState.GONE)
        sums = files.aggregate(lines=Sum("line_number"), hits=Sum("hits"), bad=Sum("bad_lines"))
        self.stdout.write(
            f"{files.count():,} files, {sums['lines'] or 0:,} lines, {sums['hits'] or 0:,} hits, "
            f"{sums['bad'] or 0:,} bad lines"
        )
        skipped = Counter[str]()
        for told in files.exclude(skipped={}).values_list("skipped", flat=True).iterator():
            skipped.update(told)
        for reason, number in skipped.most_common():
            self.stdout.write(f"    {number:>10,} requests {SkipReason(reason).label}")
        for file in files.filter(state=FileState.FAILED)[:_SHOWN_FAILURES]:
            self.stdout.write(self.style.ERROR(f"{file.name}: {file.error}"))
        with_bad = files.filter(bad_lines__gt=0).order_by("-id")
        for file in with_bad[:_SHOWN_FAILURES]:
            for line in file.kept_bad_lines.all()[:_SHOWN_BAD_LINES]:
                self.stdout.write(f"{file.name}, {line}: {line.excerpt}")

    def _paths(self, options: dict[str, Any]) -> None:
        source = _named(options["name"])
        try:
            with options["table"].open(encoding="utf-8-sig", newline="") as table:
                mapped = map_paths(source, table)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The table can't be read: {error}") from error
        self.stdout.write(f"{mapped.paths:,} paths are known now.")
        if mapped.unknown:
            rows = ", ".join(map(str, mapped.unknown[:20]))
            self.stdout.write(f"{len(mapped.unknown):,} rows name no episode: {rows} …")


def _add_options(parser: CommandParser, *, is_new: bool) -> None:
    parser.add_argument("name")
    if is_new:
        parser.add_argument("place", help="s3://bucket/prefix, or the absolute path of a folder")
    else:
        parser.add_argument("--place")
        parser.add_argument("--active", choices=["yes", "no"])
    parser.add_argument("--format", choices=LogFormat.values, required=is_new)
    parser.add_argument("--description", help="nginx's log_format, or CloudFront's field names")
    parser.add_argument("--delimiter", help="between CloudFront's values; a tab without it")
    parser.add_argument("--name-pattern", help="read only files with such names: '*.gz'")
    parser.add_argument("--organization", help="id: count for its episodes only")
    parser.add_argument("--show", help="id: whose guids and slugs are in the paths")
    parser.add_argument("--path-pattern", help="regular expression for another host's paths")
    parser.add_argument("--not-before", help="pass over earlier requests: 2026-10-14T12:00")
    parser.add_argument(
        "--delete-after-days", type=int, help="delete files so long after reading them; 0: never"
    )


def _changes(options: dict[str, Any]) -> dict[str, Any]:
    changes = {name: options[name] for name in _PLAIN if options.get(name) is not None}
    if options.get("active"):
        changes["is_active"] = options["active"] == "yes"
    if options["organization"]:
        changes["organization"] = find_organization(options["organization"])
    if options["show"]:
        changes["show"] = find_show(options["show"])
    if options["not_before"]:
        changes["not_before"] = _moment(options["not_before"])
    if options["delete_after_days"] is not None:
        changes["delete_after_days"] = options["delete_after_days"] or None
    return changes


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text} is no time: 2026-10-14T12:00 is one (UTC).") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _named(name: str) -> LogSource:
    source = LogSource.objects.filter(name=name).first()
    if source is None:
        raise CommandError(f"There is no source {name}: see log_source list.")
    return source

"""Take lists of user agents in OPAWG's format (version 2) into use; see docs/operate.md."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.downloads.user_agents.comparison import changes, misfits, unusable_entries
from apps.downloads.user_agents.current import LOOK_EVERY_SECONDS, updated_file
from apps.downloads.user_agents.download import (
    DownloadError,
    download_lists,
    without_credentials,
)
from apps.downloads.user_agents.entries import (
    LIST_NAMES,
    Lists,
    MalformedListError,
    read_lists,
    read_texts,
)
from apps.downloads.user_agents.store import previous_file, remove_lists, write_lists


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks: list[str] = []  # they ask the database, which this doesn't need

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--from",
            dest="source",
            metavar="SOURCE",
            help="a folder with the six files, the https:// address of one, or a file of an update",
        )
        what.add_argument("--reset", action="store_true", help="go back to the built-in lists")
        parser.add_argument(
            "--to", type=Path, help="the file to write; default: user-agents.json in LONGWAVE_DATA"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would change")
        parser.add_argument(
            "--leave-out-bad", action="store_true", help="go on without entries that can't be used"
        )
        parser.add_argument("--insecure-http", action="store_true", help="allow an http:// address")

    def handle(self, *args: Any, source: str | None, to: Path | None, **options: Any) -> None:
        target = to or updated_file()
        if source is None:
            self._reset(target, is_dry=options["dry_run"])
        else:
            self._update(source, target, options)
        if to is None and settings.USER_AGENTS:
            self.stderr.write(
                f"LONGWAVE_USER_AGENTS is set: {settings.USER_AGENTS} stays in force."
            )

    def _reset(self, target: Path, *, is_dry: bool) -> None:
        if not target.exists():
            self.stdout.write("The built-in lists are in force already.")
        elif is_dry:
            self.stdout.write(f"Would go back to the built-in lists from {target}.")
        else:
            remove_lists(target)
            self.stdout.write(f"Back to the built-in lists; {previous_file(target)} is kept.")

    def _update(self, source: str, target: Path, options: dict[str, Any]) -> None:
        lists = _read(source, allow_http=options["insecure_http"])
        self._refuse_bad(lists, are_left_out=options["leave_out_bad"])
        has_changed = self._show_changes(target, lists)
        self._show_misfits(lists)
        if not has_changed:
            self.stdout.write("Nothing has changed.")
        elif options["dry_run"]:
            self.stdout.write("Nothing was written: a dry run.")
        else:
            try:
                write_lists(
                    target,
                    lists,
                    source=without_credentials(source),  # it is shown at /how-we-count/
                    updated_at=now().isoformat(),
                )
            except OSError as error:
                raise CommandError(f"Could not write {target}: {error}") from error
            self.stdout.write(
                f"Wrote {target}. Running processes take it within {LOOK_EVERY_SECONDS:.0f} s."
            )

    def _refuse_bad(self, lists: Lists, *, are_left_out: bool) -> None:
        bad = unusable_entries(lists)
        for line in bad:
            self.stderr.write(line)
        if bad and not are_left_out:
            raise CommandError(
                f"{len(bad)} entries can't be used; nothing was changed. "
                "With --leave-out-bad the others are taken."
            )

    def _show_changes(self, target: Path, lists: Lists) -> bool:
        """Whether there are any."""
        counts = ", ".join(f"{len(lists[name])} {name}" for name in LIST_NAMES)
        try:
            before = read_lists(target)
        except FileNotFoundError:
            self.stdout.write(f"{counts}; none before.")
            return True
        except (OSError, MalformedListError) as error:
            self.stdout.write(f"{counts}; in place of a file that can't be read: {error}")
            return True
        lines = list(changes(before, lists))
        for line in lines:
            self.stdout.write(line)
        self.stdout.write(f"{counts}.")
        return bool(lines)

    def _show_misfits(self, lists: Lists) -> None:
        found = list(misfits(lists))
        for misfit in found:
            self.stdout.write(f"not found by its own entry: {misfit}")
        total = sum(len(entry.examples) for entries in lists.values() for entry in entries)
        self.stdout.write(f"{total - len(found)} of {total} examples are found by their own entry.")


def _read(source: str, *, allow_http: bool) -> Lists:
    try:
        if "://" in source:
            return read_texts(download_lists(source, allow_http=allow_http))
        return read_lists(Path(source))
    except MalformedListError as error:
        problems = "\n".join(error.problems[:20])
        raise CommandError(f"These are no lists of user agents:\n{problems}") from error
    except (DownloadError, OSError) as error:
        raise CommandError(str(error)) from error

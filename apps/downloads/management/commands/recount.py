"""Count days again whose hits are still kept, with today's rules and list of user agents.

Shows first what would change; nothing changes until that is confirmed.
"""

import sys
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.downloads import recount
from apps.downloads.archive import UnreadableError
from apps.downloads.drop_reasons import drop_label
from apps.downloads.locks import BusyError
from apps.downloads.recount import Difference, NotKeptError, Recount
from podcasts.models import Show

SHOWN = 20


def _day(text: str) -> date:
    if text in {"today", "yesterday"}:
        return now().date() - timedelta(days=text == "yesterday")
    return date.fromisoformat(text)


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from", dest="first", type=_day, required=True, help="YYYY-MM-DD (UTC), today, ..."
        )
        parser.add_argument("--to", dest="last", type=_day, help="the last day; --from by default")
        answer = parser.add_mutually_exclusive_group()
        answer.add_argument("--yes", action="store_true", help="put it in place without asking")
        answer.add_argument("--dry-run", action="store_true", help="only show what would change")

    def handle(
        self, *args: Any, first: date, last: date | None, yes: bool, dry_run: bool, **options: Any
    ) -> None:
        last = last or first
        if last < first:
            raise CommandError("--to is before --from.")
        try:
            for number in range((last - first).days + 1):
                self._recount(first + timedelta(days=number), yes=yes, dry_run=dry_run)
        except (NotKeptError, UnreadableError, BusyError) as error:
            raise CommandError(str(error)) from error
        finally:
            recount.forget()

    def _recount(self, day: date, *, yes: bool, dry_run: bool) -> None:
        recounted = recount.recount(day)
        self._show(recounted)
        if dry_run:
            return
        if not yes and not self._is_confirmed(day):
            self.stdout.write("Nothing was changed.")
            return
        recount.swap(recounted)
        self.stdout.write(self.style.SUCCESS(f"{day} is counted anew."))

    def _show(self, recounted: Recount) -> None:
        changed = [one for one in recounted.differences if not one.is_none]
        before = sum(one.before for one in recounted.differences)
        after = sum(one.after for one in recounted.differences)
        self.stdout.write(
            f"{recounted.day}: {recounted.hits:,} hits, {before:,} downloads, "
            f"{after:,} when counted again ({after - before:+,}); "
            f"{len(changed):,} shows change"
        )
        shows = Show.objects.in_bulk([one.show for one in changed[:SHOWN] if one.show])
        for one in changed[:SHOWN]:
            title = shows[one.show].title if one.show in shows else "(deleted or unknown)"
            self.stdout.write(f"  {title}: {one.before:,} -> {one.after:,}{_drops(one)}")
        if len(changed) > SHOWN:
            self.stdout.write(f"  ... and {len(changed) - SHOWN:,} more")

    def _is_confirmed(self, day: date) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("Say --yes to put it in place, or --dry-run to look only.")
        return input(f"Put this in the place of what is counted for {day}? [y/N] ") in {"y", "yes"}


def _drops(one: Difference) -> str:
    changed = [
        f"{drop_label(reason)}: {one.drops_before.get(reason, 0):,} -> "
        f"{one.drops_after.get(reason, 0):,}"
        for reason in sorted({*one.drops_before, *one.drops_after})
        if one.drops_before.get(reason, 0) != one.drops_after.get(reason, 0)
    ]
    return f" ({'; '.join(changed)})" if changed else ""

"""Add up all downloads anew: the totals of hours, days and months, the days' listeners, first days.

Not the listeners of months: downloads don't say whose they are, so what was estimated of them at
the time is all that there will ever be.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.downloads.locks import BusyError
from apps.downloads.rebuilding import rebuild


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="only compare; ends with an error when the totals are not what they should be",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        try:
            differences = rebuild(replace=not check)
        except BusyError as error:
            raise CommandError(str(error)) from error
        for table in differences:
            self.stdout.write(
                f"{table.table}: {table.wrong} rows that the downloads don't say, "
                f"{table.missing} missing"
            )
        self.stdout.write("Listeners of months can't be added up anew: these estimates stay.")
        if not any(table.wrong or table.missing for table in differences):
            self.stdout.write("The totals are what the downloads say.")
        elif check:
            raise CommandError("Run it without --check to put the right totals in place.")
        else:
            self.stdout.write("The right totals are in place now.")

"""Remove stored files that nothing has used for a while; see docs/operate.md."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.core.clock import now
from apps.media import garbage


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="print what would be removed, and remove nothing"
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            found = garbage.find_garbage(now(), tell=self.stdout.write)
            self.stdout.write(f"Would remove {found}.")
        else:
            found = garbage.collect_garbage(now(), tell=self.stdout.write)
            self.stdout.write(f"Removed {found}.")

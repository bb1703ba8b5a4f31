"""Make the demo: people, a show, three episodes. Quick, and without effect, once it exists."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        where = settings.DATA / "demo.json"
        if where.exists():
            self.stdout.write(f"The demo is there already; its log-ins are in {where}.")
            return
        from podcasts.demo import DemoError, seed_demo  # numpy and PyAV take a while to load

        try:
            seed_demo()
        except DemoError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The demo is ready; its log-ins are in {where}.")

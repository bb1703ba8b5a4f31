"""Run everything Longwave needs on this machine: engines, web, worker and counter."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hosting.engines import InstanceError
from hosting.supervisor.instance import Options, serve
from hosting.supervisor.programs import suitable_worker_processes

MAX_WEB_PROCESSES = 64


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ArgumentTypeError(f"{text} is no port: choose a number from 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MAX_WEB_PROCESSES:
        raise ArgumentTypeError(f"{text}: choose a number from 1 to {MAX_WEB_PROCESSES}")
    return int(text)


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=_port, default=8000)
        parser.add_argument(
            "--data", type=Path, default=settings.DATA, help="the data folder (%(default)s)"
        )
        parser.add_argument(
            "--reload", action="store_true", help="for developing: restart when code changes"
        )
        parser.add_argument("--no-demo", action="store_true", help="start with no demo content")
        parser.add_argument(
            "--worker-processes",
            type=int,
            default=suitable_worker_processes(),
            help="how many jobs run at once (%(default)s)",
        )
        parser.add_argument(
            "--web-processes",
            type=_count,
            default=settings.WEB_PROCESSES,
            help="how many processes answer visitors (%(default)s)",
        )
        parser.add_argument(
            "--web-server",
            choices=settings.WEB_SERVERS,
            default=settings.WEB_SERVER,
            help="what they run on (%(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Options(
            data=options["data"],
            host=options["host"],
            port=options["port"],
            reload=options["reload"],
            demo=not options["no_demo"],
            worker_processes=options["worker_processes"],
            web_processes=1 if options["reload"] else options["web_processes"],
            web_server=options["web_server"],
        )
        try:
            sys.exit(serve(chosen))
        except InstanceError as error:
            raise CommandError(str(error)) from error

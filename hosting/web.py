"""A production web process: uvicorn or Daphne, on sockets that it is given or on its own."""

import argparse
import os
import socket
import sys

import django
from django.conf import settings

from apps.downloads import hits
from hosting.engines import InstanceError
from hosting.servers import open_files
from hosting.servers.entrance import Entrance
from hosting.supervisor.listener import listen


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hosting.settings")
    options = parse(arguments)
    django.setup()  # also: how to log
    open_files.allow_many()
    hits.start()  # a process before this one may have died with some that are not shipped
    try:
        entrance = _entrance(options)
    except InstanceError as error:
        sys.exit(str(error))
    if (options.server or settings.WEB_SERVER) == "daphne":
        from hosting.servers import daphne_server  # Twisted costs a second, which uvicorn needn't

        daphne_server.run(options.application, entrance)
    else:
        from hosting.servers import uvicorn_server

        uvicorn_server.run(options.application, entrance)


def _entrance(options: argparse.Namespace) -> Entrance:
    if options.fd is None:
        return Entrance(listen(options.host, options.port))
    return Entrance(
        socket.socket(fileno=options.fd),
        [socket.socket(fileno=descriptor) for descriptor in options.neighbour_fd],
        options.ready_fd,
    )


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hosting.web", description=__doc__)
    parser.add_argument("application", nargs="?", default="hosting.asgi:application")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--server", choices=("uvicorn", "daphne"), help="default: LONGWAVE_WEB_SERVER, or uvicorn"
    )
    parser.add_argument("--fd", type=int, help="a listening socket, inherited")
    parser.add_argument(
        "--neighbour-fd",
        type=int,
        action="append",
        default=[],
        help="the listening socket of a web process beside this one; may be given several times",
    )
    parser.add_argument("--ready-fd", type=int, help="where to write a line once it accepts")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])

"""The production web server: uvicorn with Longwave's limits, on a socket it is given or opens."""

import argparse
import logging
import socket
import sys

import uvicorn

# A stop lets a page, an upload part or a piece of audio finish; a player resumes a longer one.
GRACE_SECONDS = 10
# Our sockets only listen: what a browser says there is a few bytes, or an attack.
MAX_SOCKET_MESSAGE = 16 * 1024


def main(arguments: list[str]) -> None:
    options = parse(arguments)
    # Django's settings say how to log; a line for each request is a proxy's task.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        "hosting.asgi:application",
        host=options.host,
        port=options.port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=MAX_SOCKET_MESSAGE,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Which proxies are believed is LONGWAVE_TRUSTED_PROXIES' decision, made in the application.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    sockets = [socket.socket(fileno=options.fd)] if options.fd is not None else None
    uvicorn.Server(config).run(sockets=sockets)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hosting.web", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--fd", type=int, help="a listening socket, inherited")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])

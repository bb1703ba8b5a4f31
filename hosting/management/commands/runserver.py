"""Daphne for developing: as ``runserver`` has it, on the server class that production has."""

from daphne.management.commands.runserver import Command as DaphneCommand

from hosting.servers.daphne_server import MediaServer


class Command(DaphneCommand):  # type: ignore[misc]  # Daphne has no types
    server_cls = MediaServer

"""What must be done before an instance can answer: tables, static files, the demo."""

import asyncio
import hashlib
from collections.abc import Mapping

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders

from hosting.engines.errors import InstanceError
from hosting.engines.folder import DataFolder
from hosting.supervisor.keeper import described, ended, kill_group
from hosting.supervisor.output import Output
from hosting.supervisor.programs import Program, manage


class Preparation:
    """Each step is a process of its own, which reads the settings with the engines' addresses."""

    def __init__(
        self, folder: DataFolder, environment: Mapping[str, str], longwave: Output
    ) -> None:
        self.folder = folder
        self.environment = environment
        self.longwave = longwave

    async def run(self, *, static: bool, demo: bool) -> None:
        steps = [self._step("migrate", "--no-input", "--verbosity", "0")]
        if static:
            steps.append(self._collect_static())
        await asyncio.gather(*steps)
        if demo and not self.folder.demo.exists():
            await self._seed_demo()

    async def _collect_static(self) -> None:
        """Collecting costs seconds, looking whether anything changed milliseconds."""
        stamp = self.folder.static / ".sources"
        sources = static_sources()
        if stamp.exists() and stamp.read_text() == sources:
            return
        await self._step("collectstatic", "--no-input", "--verbosity", "0")
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(sources)

    async def _seed_demo(self) -> None:
        self.longwave.say("Making the demo: this takes a moment, the first time only.")
        try:
            await self._step("seed_demo")
        except InstanceError as error:
            self.longwave.say(f"The demo could not be made: {error} Going on without it.")

    async def _step(self, *arguments: str) -> None:
        name = arguments[0]
        output = Output(self.folder, name)
        process = Program(name, manage(*arguments), self.environment).spawn()
        try:
            if process.stdout is not None:
                await output.pump(process.stdout)
            status = await ended(process)
        finally:
            kill_group(process.pid)
            process.wait()
        if status != 0:
            raise InstanceError(f"{name} failed ({described(status)}): see {output.log}.")


def static_sources() -> str:
    """A digest that changes when any static file does, or the way they are stored."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            changed = storage.get_modified_time(name).timestamp()
            digest.update(f"{name} {storage.size(name)} {changed}\n".encode())
    return digest.hexdigest()

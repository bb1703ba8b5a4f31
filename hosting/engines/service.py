"""The engines an instance needs: those whose address nobody gave, started and stopped together."""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack

from hosting.engines.engine import Engine
from hosting.engines.folder import DataFolder, load_passwords, write_private
from hosting.engines.lock import hold_lock
from hosting.engines.logs import rotate
from hosting.engines.postgres import ROLE, SUPERUSER, Postgres
from hosting.engines.valkey import Valkey


class Engines:
    """A context manager: inside it the engines of a data folder run. The caller holds the folder.

    ``durable=False`` is for data that is thrown away afterwards: nothing waits for the disk.
    """

    def __init__(
        self, folder: DataFolder, *, environ: Mapping[str, str] = os.environ, durable: bool = True
    ) -> None:
        self.folder = folder
        self.durable = durable
        self.engines: dict[str, Engine] = {}
        self._given = {name for name in ("DATABASE_URL", "REDIS_URL") if environ.get(name)}
        self._stack = ExitStack()

    def __enter__(self) -> "Engines":
        with ExitStack() as stack:
            self._choose(stack)
            for engine in self.engines.values():
                rotate(engine.log)
                stack.callback(engine.stop)
                engine.start()
            write_private(self.folder.urls, json.dumps(self.urls))
            stack.callback(self.folder.urls.unlink, missing_ok=True)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def urls(self) -> dict[str, str]:
        return {name: engine.url for name, engine in self.engines.items()}

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use this instance."""
        return {**self.urls, "LONGWAVE_DATA": str(self.folder.root)}

    def _choose(self, stack: ExitStack) -> None:
        passwords, are_new = load_passwords(self.folder.passwords, (SUPERUSER, ROLE, "valkey"))
        if "DATABASE_URL" not in self._given:
            postgres = Postgres(
                self.folder.postgres,
                self.folder.log("postgres"),
                passwords=passwords,
                reset_passwords=are_new,
                durable=self.durable,
            )
            if postgres.folder != self.folder.postgres:  # a copied data folder would share it
                stack.enter_context(hold_lock(postgres.folder.with_suffix(".lock")))
            self.engines["DATABASE_URL"] = postgres
        if "REDIS_URL" not in self._given:
            self.engines["REDIS_URL"] = Valkey(
                self.folder.valkey,
                self.folder.log("valkey"),
                password=passwords["valkey"],
                durable=self.durable,
            )

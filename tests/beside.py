"""Two connections that meet: one waits for the other."""

import threading
from collections.abc import Callable

from django.db import connection

from tests.waiting import wait_until


class Beside:
    """Something that another connection does, until it has to wait for ours."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.error: Exception | None = None
        self._action = action
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._action()
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def wait_until_it_waits(self) -> None:
        wait_until(self._is_waiting)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()

    def end(self) -> None:
        self.join()
        assert self.error is None

    def _is_waiting(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock'"
            )
            return bool(cursor.fetchone()[0])

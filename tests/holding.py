"""Which rows are held by a transaction, as another connection finds."""

import threading
from typing import Any

from django.db import OperationalError, connection, transaction


def is_free(model: Any, row_id: object) -> bool:
    """Whether another connection can hold the row at once."""
    found: list[bool] = []

    def hold() -> None:
        try:
            with transaction.atomic():
                model.objects.select_for_update(nowait=True).get(pk=row_id)
            found.append(True)
        except OperationalError:
            found.append(False)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join(20)
    return found == [True]

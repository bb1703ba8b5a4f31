"""References from counts to what may be deleted without them."""

from typing import Any

from django.db import models


class OutlivedKey(models.ForeignKey[Any, Any]):
    """A reference to something that may be deleted for good without what was counted of it.

    Totals must not shrink when the trash is emptied. The counter holds no lock on what the studio
    edits, either, and PostgreSQL looks nothing up for each counted row.
    """

    def __init__(self, to: Any, **kwargs: Any) -> None:
        kwargs |= {"on_delete": models.DO_NOTHING, "db_constraint": False, "related_name": "+"}
        kwargs |= {"db_index": False}  # the composite ones begin with what is looked up
        super().__init__(to, **kwargs)

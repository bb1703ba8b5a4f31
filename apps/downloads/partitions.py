"""The partitions of the tables that live as long as a day."""

from datetime import date, timedelta

from django.db import connection, models
from psycopg import sql

from apps.downloads.models import Coverage, DayListener, HitBatch

# In the order in which a counter uses them, so that it and whoever makes or drops partitions can't
# each hold what the other waits for.
PARTITIONED: tuple[type[models.Model], ...] = (HitBatch, Coverage, DayListener)

# Room in each page for rows that grow: an update that stays on its page touches no index.
_FILL_PERCENT = 80


def create(day: date) -> None:
    """Make the day's partitions where they are missing."""
    with connection.cursor() as cursor:
        for model in PARTITIONED:
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE IF NOT EXISTS {partition} PARTITION OF {table} "
                    "FOR VALUES FROM ({day}) TO ({next_day}) WITH (fillfactor = {fill})"
                ).format(
                    partition=_partition(model, day),
                    table=sql.Identifier(model._meta.db_table),
                    day=sql.Literal(day),
                    next_day=sql.Literal(day + timedelta(days=1)),
                    fill=sql.Literal(_FILL_PERCENT),
                )
            )


def drop(day: date) -> None:
    """Forget all that these tables hold of the day, at once."""
    with connection.cursor() as cursor:
        for model in PARTITIONED:
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_partition(model, day)))


def _partition(model: type[models.Model], day: date) -> sql.Identifier:
    return sql.Identifier(f"{model._meta.db_table}_{day:%Y%m%d}")

"""Statements whose values travel beside them, as bytes.

Within a statement, as Django's cursors write them, bytes would be twice as long and be read as
text.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def execute(statement: str, values: Sequence[Any]) -> None:
    """``%b`` stands for a value in its binary form. Raises django.db.Error."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values)

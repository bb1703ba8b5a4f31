"""Whether this process can do its work: what a supervisor or a load balancer asks."""

from django.db import Error
from django.db import connection as database
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError

from apps.core.valkey import connection as valkey


def health(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL and Valkey answer, else 503; the body says which one does not."""
    states = {"database": _database_answers(), "valkey": _valkey_answers()}
    return JsonResponse(
        {name: "ok" if is_ok else "unreachable" for name, is_ok in states.items()},
        status=200 if all(states.values()) else 503,
        headers={"Cache-Control": "no-store"},
    )


def _database_answers() -> bool:
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _valkey_answers() -> bool:
    try:
        return bool(valkey().ping())
    except RedisError:
        return False

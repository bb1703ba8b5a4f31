"""What schemathesis does besides: real ids in place of invented ones, and looking for strangers'.

It is loaded into schemathesis' own process, by ``SCHEMATHESIS_HOOKS``.
"""

import json
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import schemathesis

WORLD: dict[str, Any] = json.loads(Path(os.environ["SCHEMA_WORLD"]).read_text())
OWN, FOREIGN = "zebra", "quokka"
if os.environ["SCHEMA_PERSON"].startswith(FOREIGN):
    OWN, FOREIGN = FOREIGN, OWN
_IS_STAFF = os.environ["SCHEMA_PERSON"] == "staff"
_KNOWN = {one for ids in WORLD["tenants"].values() for found in ids.values() for one in found}
_FOREIGN_IDS = {one for found in WORLD["tenants"][FOREIGN].values() for one in found if "-" in one}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_seen: set[str] = set()
# In bodies and behind the question mark things are named without the "_id".
_NAMES = {"id": "episode_id", "episodes": "episode_id"}


def _real(name: str, value: Any) -> Any:
    """One of our world's ids in place of an invented one; every fifth is the other tenant's."""
    name = _NAMES.get(name, name if name.endswith("_id") else f"{name}_id")
    if not isinstance(value, str) or value in _KNOWN or value in _seen or not _is_id(name, value):
        return value
    number = int.from_bytes(sha256(value.encode()).digest()[:4])
    pool = WORLD["tenants"][FOREIGN if number % 5 == 0 else OWN].get(name)
    return pool[number // 5 % len(pool)] if pool else value


def _is_id(name: str, value: str) -> bool:
    if name == "member_id":
        return value.isascii() and value.isdigit() and len(value) < 18
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def _with_real_ids(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _with_real_ids(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_real_ids(inner, name) for inner in value]
    return _real(name, value)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Most invented ids lead nowhere: the interesting answers are behind real ones."""
    if case.path_parameters:
        path = case.operation.path
        for name, value in list(case.path_parameters.items()):
            owner = {
                "shows": "show_id",
                "episodes": "episode_id",
                "organizations": "organization_id",
            }
            known_as = owner.get(path.split("/")[3], name) if name == "id" else name
            case.path_parameters[name] = _real(known_as, value)
    if case.headers and "Idempotency-Key" in case.headers:
        # The same one for another request is refused, and tools have few ideas of their own.
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:200]}{uuid4()}"
    if isinstance(case.body, dict):
        case.body = _with_real_ids(case.body)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Ids that were answered are real as well."""
    _seen.update(_ID.findall(response.content.decode(errors="replace")))


@schemathesis.check
def nothing_of_another_tenant(ctx: Any, response: Any, case: Any) -> None:
    """No answer names what the other tenant owns, unless the request named it itself."""
    if _IS_STAFF:
        return
    request = response.request
    asked = f"{request.url} {request.body!r}".lower()
    text = response.content.decode(errors="replace") + json.dumps(
        dict(response.headers), default=str
    )
    if FOREIGN in text.lower() and FOREIGN not in asked:
        raise AssertionError(f"It tells of {FOREIGN}: {text[:500]}")
    told = {one for one in _ID.findall(text) if one in _FOREIGN_IDS and one not in asked}
    if told:
        raise AssertionError(f"It names what is the other tenant's: {sorted(told)}")

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
from schemathesis.specs.openapi.checks import negative_data_rejection

WORLD: dict[str, Any] = json.loads(Path(os.environ["SCHEMA_WORLD"]).read_text())
PERSON = os.environ["SCHEMA_PERSON"]
# Whose things are asked for in four of five requests, and whose must never be told of.
ASKED, FOREIGN = "zebra", "quokka"
if PERSON == "stranger":
    FOREIGN = "zebra"
OTHER = "quokka"
_MAY_SEE_ALL = PERSON == "staff"
_KNOWN = {one for ids in WORLD["tenants"].values() for found in ids.values() for one in found}
_FOREIGN_IDS = {one for found in WORLD["tenants"][FOREIGN].values() for one in found if "-" in one}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_seen: set[str] = set()
NOWHERE = "https://127.0.0.1:9/"
# In bodies and behind the question mark things are named without the "_id".
_NAMES = {"id": "episode_id", "episodes": "episode_id"}


def _real(name: str, value: Any) -> Any:
    """One of our world's ids in place of an invented one; every fifth is of the other tenant."""
    name = _NAMES.get(name, name if name.endswith("_id") else f"{name}_id")
    if not isinstance(value, str) or value in _KNOWN or value in _seen or not _is_id(name, value):
        return value
    number = _number(value)
    pool = WORLD["tenants"][OTHER if number % 5 == 0 else ASKED].get(name)
    return pool[number // 5 % len(pool)] if pool else value


def _number(text: str) -> int:
    """The same for the same text, in every run."""
    return int.from_bytes(sha256(text.encode(errors="replace")).digest()[:4])


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
    if case.headers and "If-Match" in case.headers and _number(case.headers["If-Match"]) % 4:
        del case.headers["If-Match"]  # no invented one holds: most changes would go no further
    if isinstance(case.body, dict):
        case.body = _with_real_ids(case.body)
        if str(case.body.get("url", "")).startswith("http"):
            case.body["url"] = NOWHERE  # no webhook of these tests goes to anybody's server


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Ids that were answered are real as well."""
    _seen.update(_ID.findall(response.content.decode(errors="replace")))


@schemathesis.check
def wrong_data_is_refused(ctx: Any, response: Any, case: Any) -> None:
    """As schemathesis has it, but for what DRF reads as what was meant: 0 as false, 5 as "5".

    A tag that doesn't hold is refused (412) before the data is looked at.
    """
    if response.status_code == 412:
        return
    try:
        negative_data_rejection(ctx, response, case)
    except AssertionError as failure:
        told = str(failure)
        if "in body" in told and ("Incorrect type" in told or "violates `type`" in told):
            return
        raise


@schemathesis.check
def nothing_of_another_tenant(ctx: Any, response: Any, case: Any) -> None:
    """No answer names what the other tenant owns, unless the request named it itself."""
    if _MAY_SEE_ALL:
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

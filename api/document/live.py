"""Live boards in the document: their state, and their streams, which Django does not route."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiResponse

from api.base.problems import CONTENT_TYPE as PROBLEM_TYPE
from api.document.about import SESSION, TOKEN
from api.document.tags import tag_of
from api.live.counted import MOST_STREAMS
from apps.accounts.scopes import Scope
from apps.live.groups import Kind

STATE = "LiveState"
LIVE_STATE = OpenApiResponse({"$ref": f"#/components/schemas/{STATE}"}, description="As it is now.")

type Schema = dict[str, Any]


def _rows(description: str, /, **properties: Schema) -> Schema:
    return {
        "type": "array",
        "description": description,
        "items": {"type": "object", "required": list(properties), "properties": properties},
    }


_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time"}
_ID: Schema = {"type": "string", "format": "uuid"}


def _count(description: str) -> Schema:
    return _COUNT | {"description": description}


_ALWAYS: Schema = {
    "type": {"type": "string", "enum": [kind.value for kind in Kind]},
    "id": {"type": ["string", "null"], "format": "uuid", "description": "Of whose board it is."},
    "day": {"type": "string", "format": "date", "description": "Today, in `time_zone`."},
    "day_ends_at": _TIME,
    "provisional_from": {
        "type": "string",
        "format": "date",
        "description": "The first day whose figures late reports may still change.",
    },
    "time_zone": {
        "type": ["string", "null"],
        "description": "In which days end; null where each show’s end in its own.",
    },
    "today": _count("Downloads of the day."),
    "week": _count("Of the last 7 days, today included."),
    "month": _count("Of the last 30 days, today included."),
    "total": _count("Of all time; it falls only when `epoch` changes."),
    "at": _TIME,
    "sequence": _count("The message’s time in milliseconds: ignore a smaller one."),
    "epoch": {
        "type": ["integer", "null"],
        "description": "Another one after a recount; null while nobody can tell.",
    },
    "listeners_now": _COUNT,
    "bytes_per_second": {"type": "number", "minimum": 0},
    "minutes": {
        "type": "array",
        "items": _COUNT,
        "description": "Downloads in each of the last 60 minutes, the running one last.",
    },
    "latest": _rows(
        "The latest downloads, newest first.",
        id=_TEXT,
        at=_TIME,
        episode_id=_ID,
        episode=_TEXT,
        app=_TEXT,
        device=_TEXT,
        country=_TEXT,
        country_name=_TEXT,
    ),
    "apps": _rows("Today’s.", name=_TEXT, count=_COUNT),
    "countries": _rows("Today’s.", name=_TEXT, count=_COUNT),
}
_SOMETIMES: Schema = {
    "top_episodes": _rows("Today’s; not of an episode.", id=_ID, title=_TEXT, today=_COUNT),
    "shows": _rows(
        "Today’s; of an organisation and of the platform.",
        id=_ID,
        title=_TEXT,
        url=_TEXT,
        today=_COUNT,
    ),
    "episodes": {
        "type": "object",
        "additionalProperties": _COUNT,
        "description": "All-time totals of a show’s episodes that grew lately, by id.",
    },
    "health": {
        "type": "object",
        "additionalProperties": True,
        "description": "Of the platform: its processes, queues and busiest organisations.",
    },
}
STATE_SCHEMA: Schema = {
    "type": "object",
    "description": "All that a live board shows at one moment.",
    "required": list(_ALWAYS),
    "properties": _ALWAYS | _SOMETIMES,
}

_STREAM = (
    "One event at once, then one a second while something happens, else one in fifteen seconds; "
    "each `data` is a whole `LiveState`. A comment comes every fifteen seconds. When the right to "
    "see it ends, the last event is `event: end`. Whoever lost the line connects again and gets "
    "the state; `retry` says after how many milliseconds."
)
_LIST_STREAM = (
    "With `Accept: text/event-stream`: what changes in the list. First `ready`, after which the "
    "list is to be got; then `upsert` with a row as the list has it, `delete` with an id, "
    "`counted` for downloads, `resync` when the list is to be got anew, and `end`."
)
_LIST_EVENTS = (
    'event: ready\nid: 1792843200123-0\ndata: {"type": "ready", "at": "2026-10-14T12:00:00Z"}\n\n'
)
_EVENT = 'retry: 3000\n\nid: 1792843200123\ndata: {"type": "show", "today": 128}\n\n'


def add_live(document: Schema) -> None:
    """The schema of states, and an operation for each kind of stream."""
    document["components"]["schemas"][STATE] = STATE_SCHEMA
    for kind in Kind:
        name = kind.value
        path = "/api/v1/platform/live" if kind is Kind.PLATFORM else f"/api/v1/{name}s/{{id}}/live"
        document["paths"][path] = {"get": _stream(path, name)}
    _add_lists(document)


def _add_lists(document: Schema) -> None:
    """The other kind of answer of lists that can be listened to."""
    from api.live.lists import LISTS  # whose views describe themselves by this package

    for address in LISTS:
        path = "/api/v1/" + re.sub(r"<uuid:(\w+)>", r"{\1}", address)
        answer = document["paths"][path]["get"]["responses"]["200"]
        answer["content"]["text/event-stream"] = {
            "schema": {"type": "string", "description": _LIST_STREAM},
            "example": _LIST_EVENTS,
        }


def _problem(description: str) -> Schema:
    return {
        "description": description,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _stream(path: str, name: str) -> Schema:
    refusals = {"401": "Unauthorized", "403": "Forbidden", "404": "NotFound"}
    answers: Schema = {
        "200": {
            "description": _STREAM,
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EVENT}},
        },
        **{status: {"$ref": f"#/components/responses/{ref}"} for status, ref in refusals.items()},
        "429": _problem(f"`throttled`, or `too_many_streams`: {MOST_STREAMS} are open already."),
        "503": _problem("`unavailable`: not at the moment."),
    }
    identity = {"name": "id", "in": "path", "required": True, "schema": _ID}
    owner = "the platform" if name == "platform" else f"one {name.replace('z', 's')}"
    return {
        "operationId": f"stream_{name}_live",
        "summary": f"The live figures of {owner} as server-sent events",
        "description": "The same as the state beside it, as a response that lasts.",
        "tags": [tag_of(path)],
        "parameters": [identity] if "{id}" in path else [],
        "security": [{TOKEN: [Scope.STATS.value]}, {SESSION: []}],
        "responses": answers,
    }

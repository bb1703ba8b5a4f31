"""What is sent to webhooks, as OpenAPI 3.1's ``webhooks``: one for each type of event."""

from typing import Any

from apps.webhooks.event_types import PING, EventType

type Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_ID: Schema = {"type": "string", "format": "uuid"}
_NO_ID: Schema = {"type": ["string", "null"], "format": "uuid"}
_URL: Schema = {"type": "string", "format": "uri"}
_NO_URL: Schema = {"type": ["string", "null"], "format": "uri"}
_EPISODE: Schema = {
    "organization_id": _ID,
    "show_id": _ID,
    "show_title": _TEXT,
    "episode_id": _ID,
    "guid": _TEXT,
    "title": _TEXT,
    "status": {
        "type": "string",
        "enum": ["draft", "scheduled", "published", "unpublished", "trashed"],
    },
    "published_at": {"type": ["string", "null"], "format": "date-time"},
    "url": _NO_URL,
    "audio_url": _NO_URL,
    "api_url": _URL,
}
_UPLOAD: Schema = {
    "organization_id": _ID,
    "show_id": _NO_ID,
    "episode_ids": {"type": "array", "items": _ID, "description": "What waits for the file."},
    "upload_id": _NO_ID,
    "asset_id": _ID,
    "filename": _TEXT,
    "status": {"type": "string", "enum": ["ready", "failed"]},
    "error": {
        "type": ["object", "null"],
        "required": ["code", "detail"],
        "properties": {"code": _TEXT, "detail": _TEXT},
    },
    "api_urls": {"type": "array", "items": _URL},
}
_MILESTONE: Schema = {
    "organization_id": _ID,
    "subject": {"type": "string", "enum": ["episode", "show"]},
    "show_id": _ID,
    "show_title": _TEXT,
    "episode_id": _NO_ID,
    "title": _TEXT,
    "milestone": {"type": "integer"},
    "downloads": {"type": "integer", "description": "How many there are now."},
    "url": _URL,
    "api_url": _URL,
}
DATA: dict[str, Schema] = {
    EventType.EPISODE_PUBLISHED.value: _EPISODE,
    EventType.EPISODE_UPDATED.value: _EPISODE,
    EventType.EPISODE_UNPUBLISHED.value: _EPISODE,
    EventType.UPLOAD_PROCESSED.value: _UPLOAD,
    EventType.DOWNLOADS_MILESTONE.value: _MILESTONE,
    PING: {"webhook_id": _ID},
}
_HEADERS = {
    "webhook-id": "The message’s id: the same in every attempt and replay.",
    "webhook-timestamp": "Seconds since 1970, of this attempt.",
    "webhook-signature": "One or more of `v1,<base64>`, separated by spaces: one that fits is "
    "enough.",
}


def add_webhooks(document: Schema) -> None:
    """One for each type, signed after Standard Webhooks 1."""
    document["webhooks"] = {name: {"post": _message(name)} for name in DATA}


def _message(name: str) -> Schema:
    label = EventType(name).label if name in EventType.values else "A test"
    data = {"type": "object", "required": list(DATA[name]), "properties": DATA[name]}
    moment = {"type": "string", "format": "date-time", "description": "When it happened."}
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {"type": {"const": name}, "timestamp": moment, "data": data},
    }
    return {
        "operationId": f"on_{name.replace('.', '_')}",
        "summary": label,
        "description": "Signed with the webhook’s secret after Standard Webhooks 1: HMAC with "
        "SHA-256 over `<webhook-id>.<webhook-timestamp>.<body>`.",
        "tags": ["webhooks"],
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": text,
                "schema": _TEXT,
            }
            for header, text in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "2XX": {"description": "It arrived. Anything else is tried again for three days."},
            "410": {"description": "Switches the webhook off."},
        },
    }

"""Asking every operation once, so that the document can show what it answers."""

import json
import re
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.test import Client

from tests.api.document.scene import CONTENT, INVITATION, Scene
from tests.uploading import checksum

type Schema = dict[str, Any]

_PARAMETER = re.compile(r"{(\w+)}")
_PARTS = [{"number": 1, "checksum_sha256": checksum(CONTENT)}]
QUERIES = {
    "check_handle": "?title=Harbour Lights",
    "delete_show": "?confirm=harbour-lights",
    "get_show_statistics_compare": "?episode={episode_id}",
}
# Longer than this no list is in an example.
_LONGEST = 2
_SECRETS = ("secret",)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MADE = re.compile(r"T11:59:\d\d(\.\d+)?")  # when the scene was made
_SIGNED = re.compile(r"(signature=|preview=[^&]*:)[\w-]{43}")
_MESSAGE = re.compile(r"msg_[0-9a-f]{32}")


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Address, method and operation of all that answers with one document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if not operation["operationId"].startswith("stream_"):
                yield path, method, operation


def body_of(name: str, scene: Scene) -> Schema | None:
    """What the example asks for, where a body is JSON."""
    draft = str(scene.ids["draft"])
    later = "2026-11-28T06:00:00Z"
    bodies: dict[str, Schema] = {
        "update_episode": {"title": "The first night, again", "season_number": 1},
        "set_episode_audio": {"asset": str(scene.ids["asset_id"])},
        "publish_episode": {},
        "schedule_episode": {"publish_at": later},
        "accept_invitation": {"token": INVITATION},
        "preview_notes": {"notes": "With **Ada Holt**."},
        "found_organization": {"name": "Lantern Audio"},
        "rename_organization": {"name": "Harbour Radio and Friends"},
        "send_invitation": {"email": "dag@example.com", "role": "editor"},
        "change_member_role": {"role": "admin"},
        "create_show": {
            "title": "Night Ferry",
            "description": "What people say on the last boat home.",
            "category": "Society & Culture",
            "language": "en",
            "time_zone": "Europe/Oslo",
        },
        "create_organization_token": {
            "name": "Mixing desk",
            "scopes": ["uploads", "write"],
            "role": "editor",
        },
        "create_organization_webhook": {
            "url": "https://93.184.216.34/hooks",
            "events": ["episode.published"],
        },
        "release_from_quarantine": {
            "organization": str(scene.organization.pk),
            "day": "2026-11-20",
            "address_key": "5f" * 16,
        },
        "update_show": {"description": "Stories from a small port."},
        "create_episode": {"title": "Ice", "notes": "The winter of **1987**.", "season_number": 1},
        "change_episodes": {"episodes": [draft], "action": "publish"},
        "reorder_episodes": {"season_number": 1, "episodes": scene.ids["season"]},
        "create_token": {"name": "Nightly backup", "scopes": ["read"]},
        "open_upload": {
            "organization": str(scene.organization.pk),
            "filename": "fog.mp3",
            "size_bytes": 7_340_032,
            "fingerprint": "fog.mp3-7340032",
        },
        "complete_upload": {"parts": _PARTS, "episode": draft},
        "request_part_urls": {"parts": _PARTS},
        "update_webhook": {"events": ["episode.published", "episode.updated"]},
        "replay_webhook": {"since": "2026-11-20T00:00:00Z"},
    }
    return bodies.get(name)


def record(document: Schema, scene: Scene) -> dict[str, Schema]:
    """By the operation's name; ids and secrets are ones that never change."""
    client = Client()
    client.force_login(scene.owner)
    found = {}
    for path, method, operation in operations(document):
        name = operation["operationId"]
        if name == "get_schema":
            continue
        with transaction.atomic():
            found[name] = _ask(client, scene, path, method, operation)
            transaction.set_rollback(True)
    failed = {name: example for name, example in found.items() if "failed" in example}
    assert failed == {}, failed
    known: dict[str, str] = {}
    return {name: _settled(example, known) for name, example in sorted(found.items())}


def _ask(client: Client, scene: Scene, path: str, method: str, operation: Schema) -> Schema:
    name = operation["operationId"]
    parts, body = parts_of(name, path, scene), body_of(name, scene)
    answer = send(client, scene, path, method, name)
    if answer.status_code >= 300:
        return {"failed": f"{answer.status_code} {answer.content[:300]!r}"}
    _check_headers(client, answer, operation)
    example: Schema = {"path": parts, "status": answer.status_code}
    if body is not None:
        example["request"] = body
    if answer.content:
        example["answer"] = answer.json()
    return example


def parts_of(name: str, path: str, scene: Scene) -> dict[str, str]:
    """What stands in the address of an operation."""
    return {
        part: str(scene.ids.get(f"{name}.{part}", scene.ids.get(part)))
        for part in _PARAMETER.findall(path)
    }


def send(client: Client, scene: Scene, path: str, method: str, name: str, **headers: str) -> Any:
    """Ask an operation for what its example asks for."""
    query = QUERIES.get(name, "").format(**scene.ids)
    address = path.format(**parts_of(name, path, scene)) + query
    if name.endswith("_artwork") and method == "put":
        from tests.media.test_image_store import picture

        return client.put(address, picture(), content_type="image/png", headers=headers)
    body = body_of(name, scene)
    kwargs = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return getattr(client, method)(address, headers=headers, **kwargs)


def _check_headers(client: Client, answer: Any, operation: Schema) -> None:
    """Those that lead on are documented where they are sent and nowhere else, and they lead on."""
    described = operation["responses"][str(answer.status_code)]["headers"]
    for header in ("ETag", "Location"):
        said, sent = header in described, header in answer
        assert said is sent, f"{operation['operationId']}: {header}"
    if answer.status_code == 201:
        assert client.get(answer["Location"]).status_code == 200, operation["operationId"]


def _settled(value: Any, known: dict[str, str], name: str = "") -> Any:
    """Short, and the same in every run: ids become numbers in the order of their appearance."""
    if isinstance(value, dict):
        return {_text(key, known): _settled(inner, known, key) for key, inner in value.items()}
    if isinstance(value, list):
        shortest = value if name in ("events", "scopes", "parts") else value[:_LONGEST]
        return [_settled(inner, known, name) for inner in shortest]
    if name == "prefix":
        return "lw_4fT9q"
    if name in _SECRETS:
        return str(value)[:3] + "…"
    if not isinstance(value, str):
        return value
    return _text(value, known)


def _text(text: str, known: dict[str, str]) -> str:
    """Some objects have ids for names as well."""
    text = _ID.sub(lambda found: _numbered(found[0], known), text)
    text = _SIGNED.sub(r"\1…", _MADE.sub("T11:59:00", text))
    return _MESSAGE.sub("msg_01a1e80052007b6f8b6c3a4f5d6e7f80", text)


def _numbered(one: str, known: dict[str, str]) -> str:
    return known.setdefault(one, f"019a1e80-5200-7000-8000-{len(known) + 1:012d}")

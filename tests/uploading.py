"""A program that uploads a file the way the browser does, over HTTP from end to end."""

import base64
import hashlib
import http.client
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.test import Client

from hosting.data_plane import DataPlane
from tests.asgi import Reply, call


def checksum(content: bytes) -> str:
    """The base64 SHA-256 of a part."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@dataclass
class Sender:
    """One person's program; ``content`` is the file."""

    client: Client
    organization: UUID
    content: bytes
    filename: str = "episode.mp3"
    fingerprint: str = ""
    upload: dict[str, Any] = field(default_factory=dict)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """A JSON request of the API."""
        return self.client.post(f"/api/v1/{path}", body, content_type="application/json")

    def open(self) -> Any:
        """Open the upload, or continue it."""
        response = self.post(
            "uploads/",
            {
                "organization": str(self.organization),
                "filename": self.filename,
                "size_bytes": len(self.content),
                "fingerprint": self.fingerprint,
            },
        )
        if response.status_code in (200, 201):
            self.upload = response.json()
        return response

    def parts(self) -> list[bytes]:
        """The file, cut as the upload says."""
        step = self.upload["part_size_bytes"]
        return [self.content[at : at + step] for at in range(0, len(self.content), step)]

    def claims(self) -> list[dict[str, Any]]:
        """Numbers and checksums of all parts."""
        return [
            {"number": number, "checksum_sha256": checksum(part)}
            for number, part in enumerate(self.parts(), start=1)
        ]

    def ask(self, *numbers: int) -> Any:
        """Ask where to send these parts."""
        wanted = [claim for claim in self.claims() if claim["number"] in numbers]
        return self.post(f"uploads/{self.upload['id']}/part-urls/", {"parts": wanted})

    def send(self, *numbers: int) -> list[Reply]:
        """Send these parts; all when none is named."""
        numbers = numbers or tuple(range(1, len(self.parts()) + 1))
        targets = self.ask(*numbers).json()
        return [self.put(target, self.parts()[target["number"] - 1]) for target in targets]

    def put(self, target: dict[str, Any], part: bytes) -> Reply:
        """Send one part exactly as told."""
        url = urlsplit(target["url"])
        if url.netloc:
            return _put_to_bucket(target, part)
        headers = target["headers"] | {"Content-Length": str(len(part))}
        application = DataPlane(urlconf="hosting.data_urls")
        return call(application, target["method"], f"{url.path}?{url.query}", headers, body=[part])

    def complete(self, **more: Any) -> Any:
        """Say that all parts have been sent."""
        body = {"parts": self.claims()} | more
        return self.post(f"uploads/{self.upload['id']}/complete/", body)

    def state(self) -> dict[str, Any]:
        """What the server says of the upload."""
        state: dict[str, Any] = self.client.get(f"/api/v1/uploads/{self.upload['id']}/").json()
        return state


def _put_to_bucket(target: dict[str, Any], part: bytes) -> Reply:
    """As a browser does it: straight to the S3 service."""
    url = urlsplit(target["url"])
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    try:
        path = f"{url.path}?{url.query}"
        connection.request(target["method"], path, part, target["headers"])
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read(), True)
    finally:
        connection.close()

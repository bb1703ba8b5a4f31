"""A podcaster's program and a patient listener: both go on when a process is killed under them."""

import base64
import hashlib
import http.client
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from tests.instance import Instance, wait_for

PATIENCE_SECONDS = 60


class Podcaster:
    """Somebody signed in, using pages and API as the browser does."""

    def __init__(self, instance: Instance, email: str, password: str | None = None) -> None:
        self.instance = instance
        self.client = httpx2.Client(base_url=instance.origin, timeout=20)
        page = self.client.get("/accounts/login/").text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found is not None
        response = self.client.post(
            "/accounts/login/",
            data={
                "csrfmiddlewaretoken": found[1],
                "login": email,
                "password": password or instance.password_of(email),
            },
        )
        assert response.status_code == 302, response.text

    def _headers(self) -> dict[str, str]:
        return {"X-CSRFToken": self.client.cookies["csrftoken"]}

    def ask(self, method: str, path: str, **content: Any) -> httpx2.Response:
        """A request that is repeated while the instance is on its knees."""

        def attempt() -> httpx2.Response | None:
            response = self.client.request(method, path, headers=self._headers(), **content)
            return None if response.status_code >= 500 else response

        response = wait_for(attempt, seconds=PATIENCE_SECONDS, what=f"{method} {path}")
        assert response is not None
        assert response.status_code < 400, response.text
        return response

    def show(self) -> dict[str, Any]:
        """The demo show, as the API describes it."""
        shows: list[dict[str, Any]] = self.ask("GET", "/api/v1/shows/").json()["results"]
        return next(show for show in shows if show["handle"] == "demo")

    def new_episode(self, show_id: str, title: str) -> str:
        """A draft; its id."""
        response = self.ask(
            "POST", f"/studio/shows/{show_id}/episodes/new/", data={"title": title, "type": "full"}
        )
        return response.headers["Location"].strip("/").split("/")[-1]

    def upload(
        self, show: dict[str, Any], episode: str, file: Path, *, between: Callable[[int], None]
    ) -> None:
        """Send a file in parts and give it to the episode; ``between`` runs before each part."""
        content = file.read_bytes()
        upload = self.ask(
            "POST",
            "/api/v1/uploads/",
            json={
                "organization": show["organization"],
                "filename": file.name,
                "size_bytes": len(content),
                "fingerprint": hashlib.sha256(content).hexdigest(),
            },
        ).json()
        size = upload["part_size_bytes"]
        parts = [
            (number, content[(number - 1) * size : number * size])
            for number in range(1, upload["part_count"] + 1)
        ]
        claims = [
            {
                "number": number,
                "checksum_sha256": base64.b64encode(hashlib.sha256(part).digest()).decode(),
            }
            for number, part in parts
        ]
        for claim, (number, part) in zip(claims, parts, strict=True):
            between(number)
            address = self.ask(
                "POST", f"/api/v1/uploads/{upload['id']}/part-urls/", json={"parts": [claim]}
            ).json()[0]
            _put_patiently(urljoin(self.instance.origin, address["url"]), address, part)
        self.ask(
            "POST",
            f"/api/v1/uploads/{upload['id']}/complete/",
            json={"parts": claims, "episode": episode},
        )

    def wait_until_ready(self, episode: str) -> None:
        """Wait for the worker to have prepared the audio."""

        def is_ready() -> bool:
            state = self.ask("GET", f"/api/v1/episodes/{episode}/audio/").json()
            assert "failed" not in str(state.get("status")), state
            return bool(self.ask("GET", f"/api/v1/episodes/{episode}/").json()["enclosure"])

        wait_for(is_ready, seconds=120, what="the audio")

    def downloads(self, show_id: str, episode: str) -> int:
        """What the dashboard says of an episode."""
        live = self.ask("GET", f"/api/v1/shows/{show_id}/live/state/").json()
        return int(live["episodes"].get(episode, 0))


def _put_patiently(url: str, address: dict[str, Any], part: bytes) -> None:
    def attempt() -> bool:
        response = httpx2.put(url, content=part, headers=address["headers"], timeout=20)
        assert response.status_code not in {400, 403}, response.text
        return response.status_code == 200

    wait_for(attempt, seconds=PATIENCE_SECONDS, what="a part")


@dataclass
class Listener:
    """A podcast app with a small window, which resumes where its download broke off."""

    url: str
    address: str
    agent: str = "AntennaPod/3.5.0"
    seconds_a_chunk: float = 0.005
    received: bytearray = field(default_factory=bytearray)
    requests: int = 0

    def listen(self) -> None:
        """Fetch the whole file, however often the connection breaks."""
        self._insist(self._fetch_rest)

    def sample(self, size_bytes: int) -> None:
        """Fetch the beginning, in one response that comes to its end, and forget it."""
        self._insist(lambda: self._fetch_beginning(size_bytes))

    def _insist(self, attempt: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS * 2
        while not attempt():
            assert time.monotonic() < deadline, f"{len(self.received)} bytes, then no more"
            time.sleep(0.2)

    def _fetch_beginning(self, size_bytes: int) -> bool:
        headers = {"User-Agent": self.agent, "X-Forwarded-For": self.address}
        try:
            response = httpx2.get(
                self.url, headers=headers | {"Range": f"bytes=0-{size_bytes - 1}"}, timeout=20
            )
        except httpx2.HTTPError:
            return False
        assert response.status_code == 206 or response.status_code >= 500
        return len(response.content) == size_bytes

    def begin(self, size_bytes: int) -> http.client.HTTPConnection:
        """Fetch so much of the file and read no further; the connection, which is still open."""
        connection, response = self._ask()
        assert response.status == 200, response.status
        while len(self.received) < size_bytes:
            self.received += response.read(min(64 * 1024, size_bytes - len(self.received)))
        return connection

    def _fetch_rest(self) -> bool:
        """One request; whether the file is whole now."""
        try:
            connection, response = self._ask()
        except (OSError, http.client.HTTPException):
            return False
        try:
            if response.status not in {200, 206}:
                assert response.status >= 500, response.status
                return False
            while chunk := response.read(64 * 1024):
                self.received += chunk
                time.sleep(self.seconds_a_chunk)
            return response.length == 0
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _ask(self) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Ask for what is missing."""
        self.requests += 1
        parts = urlsplit(self.url)
        connection = _SmallWindow(parts.hostname or "", parts.port or 80, timeout=20)
        headers = {"User-Agent": self.agent, "X-Forwarded-For": self.address}
        if self.received:
            headers["Range"] = f"bytes={len(self.received)}-"
        try:
            connection.request("GET", parts.path, headers=headers)
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise


class _SmallWindow(http.client.HTTPConnection):
    """A connection that the kernel can't fill at once: the server must go on sending."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        self.sock.settimeout(20)
        self.sock.connect((self.host, self.port))

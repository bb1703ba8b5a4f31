"""A small typed client of Longwave's API, with nothing but Python's own library.

    LONGWAVE_API=https://podcasts.example.org/api/v1 LONGWAVE_TOKEN=… python client.py one.mp3

uploads a file as a new episode of the first show, publishes it, and follows its downloads.
"""

import base64
import hashlib
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin
from urllib.request import Request, urlopen

PAUSES = (1.0, 2.0, 4.0)  # seconds before another attempt
TRANSIENT = {429, 502, 503, 504}


class ProblemError(Exception):
    """A refusal (RFC 9457): programs look at ``code``, people at the text."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail", f"HTTP {status}"))
        self.status, self.code = status, problem.get("code", "")
        self.errors: list[dict[str, str]] = problem.get("errors", [])


class BusyError(ProblemError):
    """Not now: in so many seconds, or whenever one likes."""

    def __init__(self, status: int, problem: dict[str, Any], seconds: float = 0) -> None:
        super().__init__(status, problem)
        self.seconds = seconds


@dataclass(frozen=True)
class Show:
    """As much of a show as this client wants."""

    id: str
    title: str
    organization: str


@dataclass(frozen=True)
class Episode:
    """An episode, with the tag that a change of it is made against."""

    id: str
    title: str
    status: str
    etag: str = ""


class Client:
    """One installation, asked with one token."""

    def __init__(self, api: str, token: str) -> None:
        self.api, self._token = api.rstrip("/") + "/", token
        self._known: dict[str, tuple[Any, str]] = {}  # of each address its document and its tag

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, str]:
        """The document that is answered and its tag; raises ProblemError.

        Whatever fails on the way is asked again: a POST with the same key, so it happens once.
        """
        url = urljoin(self.api, path)
        headers |= {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if method == "GET" and url in self._known:
            headers["If-None-Match"] = self._known[url][1]
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, headers, method=method)
        for pause in PAUSES:
            try:
                return self._ask(request)
            except BusyError as busy:
                time.sleep(busy.seconds or pause)
        return self._ask(request)

    def _ask(self, request: Request) -> tuple[Any, str]:
        try:
            with urlopen(request, timeout=30) as answer:
                content, etag = answer.read(), answer.headers.get("ETag", "")
        except HTTPError as error:
            if error.code == 304:
                return self._known[request.full_url]
            problem = json.loads(error.read() or b"{}")
            if error.code in TRANSIENT:
                wait = float(error.headers.get("Retry-After") or 0)
                raise BusyError(error.code, problem, wait) from error
            raise ProblemError(error.code, problem) from error
        except URLError as error:
            raise BusyError(0, {"detail": str(error.reason)}) from error
        found = (json.loads(content) if content else None, etag)
        if request.method == "GET" and etag:
            self._known[request.full_url] = found
        return found

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page, as the links lead."""
        address: str | None = f"{path}?{urlencode(query)}" if query else path
        while address:
            page, _ = self.call("GET", address)
            yield from page["results"]
            address = page["next"]

    def shows(self) -> Iterator[Show]:
        """All shows, with the fields that are wanted and no others."""
        for row in self.pages("shows/", fields="id,title,organization"):
            yield Show(**row)

    def create_episode(self, show: Show, title: str, notes: str = "") -> Episode:
        """A draft."""
        return _episode(
            *self.call("POST", f"shows/{show.id}/episodes/", {"title": title, "notes": notes})
        )

    def rename(self, episode: Episode, title: str) -> Episode:
        """Change it, unless somebody else has since it was read (``changed_meanwhile``)."""
        path = f"episodes/{episode.id}/"
        return _episode(*self.call("PATCH", path, {"title": title}, **{"If-Match": episode.etag}))

    def upload(self, show: Show, episode: Episode, file: Path) -> None:
        """Send the parts that have not arrived yet, then make the file the episode's audio."""
        size = file.stat().st_size
        wish = {"organization": show.organization, "filename": file.name, "size_bytes": size}
        upload, _ = self.call("POST", "uploads/", wish | {"fingerprint": f"{file.name}-{size}"})
        arrived = {part["number"] for part in upload["parts"]}
        claims = []
        for number in range(1, upload["part_count"] + 1):
            part = _part(file, number, upload["part_size_bytes"])
            digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
            claims.append({"number": number, "checksum_sha256": digest})
            if number not in arrived:
                wanted = {"parts": claims[-1:]}
                [target], _ = self.call("POST", f"uploads/{upload['id']}/part-urls/", wanted)
                self._send(target, part)
        done = {"parts": claims, "episode": episode.id}
        self.call("POST", f"uploads/{upload['id']}/complete/", done)

    def _send(self, target: dict[str, Any], part: bytes) -> None:
        url = urljoin(self.api, target["url"])  # the installation's own, or a bucket's
        request = Request(url, part, target["headers"], method=target["method"])
        with urlopen(request, timeout=300):
            pass

    def publish(self, episode: Episode) -> Episode:
        """Now, or as soon as the audio is ready."""
        return _episode(*self.call("POST", f"episodes/{episode.id}/publish/", {}))

    def downloads(self, show: Show, days: int = 30) -> dict[str, Any]:
        """What the chart of the downloads shows."""
        found, _ = self.call("GET", f"shows/{show.id}/statistics/downloads/?days={days}")
        return dict(found)

    def live(self, show: Show) -> Iterator[dict[str, Any]]:
        """The live figures, about once a second, for as long as one listens."""
        headers = {"Authorization": f"Bearer {self._token}"}
        with urlopen(
            Request(urljoin(self.api, f"shows/{show.id}/live"), headers=headers), timeout=60
        ) as stream:
            for line in stream:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))


def _episode(row: dict[str, Any], etag: str) -> Episode:
    return Episode(row["id"], row["title"], row["status"], etag)


def _part(file: Path, number: int, size: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek((number - 1) * size)
        return opened.read(size)


def main() -> None:
    """See this module's first lines."""
    client = Client(os.environ["LONGWAVE_API"], os.environ["LONGWAVE_TOKEN"])
    file = Path(sys.argv[1])
    show = next(client.shows())
    episode = client.create_episode(show, file.stem)
    client.upload(show, episode, file)
    print(client.publish(episode))
    for state in client.live(show):
        print(state["today"], "downloads today")


if __name__ == "__main__":
    main()

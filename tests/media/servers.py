"""Real servers for tests: uvicorn, Daphne and S3, each a process of its own on free ports."""

import http.client
import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.instance import wait_for

PATIENCE_SECONDS = 30.0


@contextmanager
def process(command: list[str], log: Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A program that lives as long as the context; its output is kept for a failing test."""
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output, **options)  # type: ignore[call-overload]
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@dataclass(frozen=True)
class WebServer:
    """A server of tests.media.served, and the folder that it serves from."""

    name: str
    port: int
    folder: Path
    pid: int = 0

    def connect(self) -> http.client.HTTPConnection:
        """A connection that gives up rather than hang."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def reports(self) -> list[dict[str, object]]:
        """What the application was told was sent, oldest first."""
        file = self.folder / "reports"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@contextmanager
def web_server(
    name: str,
    folder: Path,
    application: str = "tests.media.served:application",
    *,
    first: str = "/plain.mp3",
    **environment: str,
) -> Iterator[WebServer]:
    """uvicorn or Daphne, as production has them; it answers when HEAD of `first` says 200."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-m", "hosting.web", f"--server={name}", f"--fd={descriptor}"]
        with process(
            [*command, application],
            folder / f"{name}.log",
            pass_fds=[descriptor],
            env=os.environ | {"LONGWAVE_TEST_FOLDER": str(folder)} | environment,
        ) as child:
            server = WebServer(name, port, folder, child.pid)
            connection = server.connect()  # waits in the backlog until the server accepts
            connection.request("HEAD", first)
            assert connection.getresponse().status == 200
            connection.close()
            yield server


@dataclass(frozen=True)
class S3Server:
    """A running S3 service with one bucket."""

    endpoint: str
    bucket: str = "media"
    access_key: str = "longwave"
    secret_key: str = "longwave-secret"

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which Longwave keeps its files there."""
        return {
            "S3_BUCKET": self.bucket,
            "S3_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """SeaweedFS from its wheel."""
    names = ("s3", "master", "volume", "filer", "admin")
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    server = S3Server(f"http://127.0.0.1:{ports['s3']}")
    identity = {
        "name": "longwave",
        "credentials": [{"accessKey": server.access_key, "secretKey": server.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    command = [
        str(Path(sys.executable).with_name("weed")),
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.config={config}",
        f"-bucket={server.bucket}",
        *(f"-{name}.port={port}" for name, port in ports.items()),
        *("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
    ]
    with process(command, folder / "s3.log", cwd=folder) as child:
        wait_for(lambda: child.poll() is not None or _has_bucket(server), what="a bucket")
        assert child.poll() is None, (folder / "s3.log").read_text()[-2000:]
        yield server


def _has_bucket(server: S3Server) -> bool:
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(retries={"max_attempts": 1}, connect_timeout=1, read_timeout=2),
    )
    try:
        # Writing is what must work: volumes come up after the bucket does.
        client.put_object(Bucket=server.bucket, Key="ready", Body=b"ready")
    except (BotoCoreError, ClientError):
        return False
    return True


def _free_ports(count: int) -> list[int]:
    """Ports that are free together with the one 10,000 above, where SeaweedFS speaks gRPC."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(12_000, 30_000)
        if port not in found and _is_free(port) and _is_free(port + 10_000):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

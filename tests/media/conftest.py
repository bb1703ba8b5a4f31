"""Servers that are started once for each worker, and stores on a folder and on S3."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.media.storage import Storage, storage
from tests.media.served import content
from tests.media.servers import S3Server, WebServer, web_server


@pytest.fixture
def s3_store(s3: S3Server, settings: LazySettings, tmp_path: Path) -> Storage:
    """The store that an installation with a bucket has."""
    settings.S3_BUCKET = s3.bucket
    settings.S3_ENDPOINT_URL = s3.endpoint
    settings.AWS_ACCESS_KEY_ID = s3.access_key
    settings.AWS_SECRET_ACCESS_KEY = s3.secret_key
    settings.SCRATCH_ROOT = tmp_path / "scratch"
    storage.cache_clear()
    return storage()


@pytest.fixture
def disk_store(settings: LazySettings, tmp_path: Path) -> Storage:
    """The store that an installation without a bucket has."""
    settings.S3_BUCKET = None
    settings.MEDIA_STORE_ROOT = tmp_path / "media"
    storage.cache_clear()
    return storage()


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest) -> Storage:
    """Each kind of store in turn: what holds for one holds for the other."""
    chosen: Storage = request.getfixturevalue(f"{request.param}_store")
    return chosen


@pytest.fixture(scope="session")
def uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """uvicorn with the file of tests.media.served."""
    with _web_server("uvicorn", tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def daphne(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """Daphne with the file of tests.media.served."""
    with _web_server("daphne", tmp_path_factory) as server:
        yield server


@contextmanager
def _web_server(name: str, factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    folder = factory.mktemp(name)
    (folder / "plain").write_bytes(content())
    with web_server(name, folder) as server:
        yield server


@pytest.fixture(params=["uvicorn", "daphne"])
def web(request: pytest.FixtureRequest) -> WebServer:
    """Each server that Longwave runs on."""
    server: WebServer = request.getfixturevalue(request.param)
    return server

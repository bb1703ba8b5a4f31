"""What all tests share: a Valkey key space per worker, stores, and people."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.core.management import get_commands
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from apps.accounts.models import Organization, User
from apps.accounts.roles import Role
from apps.core import valkey
from apps.downloads import hits
from tests import emptying
from tests.empty_folders import EmptyFolders
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.order import longest_first

if TYPE_CHECKING:
    from tests.media.servers import S3Server

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")


def pytest_configure() -> None:
    """Each worker has its own prefix in Valkey and needs no collected static files."""
    django_settings.REDIS_PREFIX = f"test-{WORKER}-{os.getpid()}"
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES = django_settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    layer = django_settings.CHANNEL_LAYERS["default"]
    layer["CONFIG"]["prefix"] = f"{django_settings.REDIS_PREFIX}:channels"
    django_settings.CACHES["default"]["KEY_PREFIX"] = f"{django_settings.REDIS_PREFIX}:cache"
    django_settings.CELERY_TASK_ALWAYS_EAGER = True
    django_settings.CELERY_TASK_EAGER_PROPAGATES = True


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers take long files first; see --no-loadscope-reorder in the Makefile."""
    if hasattr(config, "workerinput"):
        longest_first(items)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database; what a test commits to it is deleted after the test."""
    flush = emptying.Flush()
    with django_db_blocker.unblock():
        flush.remember()
    commands: dict[str, Any] = get_commands()
    commands["flush"] = flush  # call_command takes an instance for the name of its app as well


@pytest.fixture(scope="session")
def _empty_folders() -> Iterator[EmptyFolders]:
    with EmptyFolders() as folders:
        yield folders


@pytest.fixture(autouse=True)
def _own_folders(settings: Settings, _empty_folders: EmptyFolders) -> Iterator[None]:
    """Files that a test stores, spools or mails go to a folder that ends with it."""
    folder = _empty_folders.take()
    settings.DATA = folder
    settings.MEDIA_STORE_ROOT = folder / "media"
    settings.SCRATCH_ROOT = folder / "scratch"
    settings.SPOOL_ROOT = folder / "spool"
    yield
    hits.close(seconds=1)


@pytest.fixture
def clean_valkey() -> Iterator[None]:
    """Nothing of an earlier test is in this worker's key space, and nothing is left."""
    _delete_keys()
    yield
    _delete_keys()


def _delete_keys() -> None:
    client = valkey.connection()
    for name in client.scan_iter(match=f"{django_settings.REDIS_PREFIX}:*", count=1000):
        client.delete(name)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator["S3Server"]:
    """A real S3 service, one for all tests of a worker."""
    from tests.media.servers import s3_server  # boto3 takes a third of a second to load

    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@dataclass(frozen=True)
class People:
    """Everybody who might ask for a tenant's page."""

    organization: Organization
    owner: User
    admin: User
    editor: User
    analyst: User
    stranger: User  # owns another organisation
    staff: User

    def client(self, name: str) -> Client:
        """A signed-in browser of one of them; ``anonymous`` is signed out."""
        client = Client()
        if name != "anonymous":
            client.force_login(getattr(self, name))
        return client


@pytest.fixture
def people(db: None) -> People:
    """An organisation with a member of each role, a stranger, and a platform admin."""
    organization = OrganizationFactory(name="Radio Ours")
    members = {
        role.value: MembershipFactory(organization=organization, role=role).user for role in Role
    }
    stranger = MembershipFactory(organization__name="Elsewhere").user
    return People(
        organization=organization,
        stranger=stranger,
        staff=UserFactory(is_staff=True, email="staff@example.com"),
        **members,
    )

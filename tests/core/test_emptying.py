"""What a test commits is gone before the next one, and what migrating made is still there."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from apps.accounts.models import Membership, Organization, User
from podcasts.models import Episode, Show
from tests import emptying
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory, MembershipFactory

pytestmark = pytest.mark.django_db(transaction=True)


def empty() -> None:
    """As Django does it after such a test."""
    call_command(
        "flush", verbosity=0, interactive=False, reset_sequences=False, inhibit_post_migrate=False
    )


def filled() -> set[str]:
    """Every table of the project with a row in it."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        found = set()
        for name in names:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608 -- our own table
            if cursor.fetchone()[0]:
                found.add(name)
    return found


def test_nothing_stays_but_what_migrating_made() -> None:
    before = filled()
    MembershipFactory()
    store_download(EpisodeFactory())
    assert {model._meta.db_table for model in (Membership, Organization, User, Show, Episode)} <= (
        filled() - before
    )
    empty()
    assert filled() == before
    assert Permission.objects.exists()


def test_rows_of_migrations_keep_their_numbers() -> None:
    before = list(ContentType.objects.order_by("pk").values_list("pk", "model"))
    MembershipFactory()
    empty()
    assert list(ContentType.objects.order_by("pk").values_list("pk", "model")) == before


@pytest.mark.parametrize("spoil", ["delete", "rename", "add"])
def test_rows_of_migrations_that_a_test_has_changed_are_made_anew(spoil: str) -> None:
    names = set(Permission.objects.values_list("content_type__model", "codename"))
    permission = Permission.objects.all()[0]
    if spoil == "delete":
        permission.delete()
    elif spoil == "rename":
        Permission.objects.filter(pk=permission.pk).update(codename="spoiled")
    else:
        Permission.objects.create(content_type=permission.content_type, codename="spoiled")
    MembershipFactory()
    empty()
    assert set(Permission.objects.values_list("content_type__model", "codename")) == names
    assert not User.objects.exists()
    empty()
    assert set(Permission.objects.values_list("content_type__model", "codename")) == names


def test_it_is_what_djangos_tests_call() -> None:
    from django.core.management import get_commands

    assert isinstance(get_commands()["flush"], emptying.Flush)

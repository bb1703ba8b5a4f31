"""Django's admin: who gets in, what it shows, and that tables of any size cost the same."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import ApiToken, Invitation, Membership, Organization, User
from apps.core.clock import now
from apps.downloads.logs.models import LogFile, LogSource
from apps.downloads.models import Download, DropTally
from apps.media.models import Asset, Rendition, Upload
from frontend.admin import base
from frontend.admin.base import EstimatingPaginator
from frontend.models import KeptHits
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.programs import token_of_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


def address(model: Any, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_for_anybody_but_staff_there_is_no_admin(people: People, who: str) -> None:
    client = people.client(who)
    for path in ("/admin/", "/admin/login/", address(User), "/admin/anything/"):
        assert client.get(path).status_code == 404


def test_strangers_sign_in_where_everybody_does(people: People) -> None:
    answer = people.client("anonymous").get(address(Episode))
    assert answer.headers["Location"] == f"/accounts/login/?next={address(Episode)}"
    assert (
        people.client("anonymous")
        .get("/admin/login/")
        .headers["Location"]
        .startswith("/accounts/login/")
    )


def test_staff_who_were_deactivated_are_out(people: People) -> None:
    client = people.client("staff")
    User.objects.filter(pk=people.staff.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


def fill(people: People, count: int) -> None:
    """So many rows of each kind."""
    for number in range(count):
        episode = EpisodeFactory(show__organization=people.organization)
        token_of_organization(people.organization)
        Invitation.objects.create(
            organization=people.organization,
            email=f"{number}-{now().timestamp()}@example.com",
            role="editor",
            token_sha256=f"{now().timestamp()}",
            expires_at=now(),
        )
        Upload.objects.create(
            organization=people.organization,
            created_by=people.editor,
            filename="a.mp3",
            size_bytes=10,
            part_size_bytes=10,
            expires_at=now() + timedelta(days=1),
        )
        source = LogSource.objects.create(
            name=f"s{now().timestamp()}".replace(".", "-"), format="nginx", place="/x"
        )
        LogFile.objects.create(source=source, name="a.log", version="1", size_bytes=1)
        Download.objects.create(
            organization=episode.organization,
            show=episode.show,
            episode=episode,
            day=now().date(),
            local_day=now().date(),
            first_at=now(),
            counted_at=now(),
            category="app",
        )


@pytest.mark.parametrize(
    "model",
    [
        User,
        Organization,
        Membership,
        Invitation,
        ApiToken,
        Show,
        Episode,
        Upload,
        Asset,
        Rendition,
        Download,
        KeptHits,
        DropTally,
        LogSource,
        LogFile,
    ],
)
def test_a_change_list_asks_the_same_of_one_row_and_of_twenty(people: People, model: Any) -> None:
    client = people.client("staff")
    counts = []
    for added in (1, 19):
        fill(people, added)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(address(model))
        assert answer.status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_every_row_can_be_looked_at_and_none_changed(people: People) -> None:
    fill(people, 1)
    client = people.client("staff")
    for model in admin.site._registry:
        row = model._default_manager.first()
        assert client.get(address(model, "add")).status_code == 403
        if row is None:
            continue
        change = address(model, "change", row.pk)
        page = client.get(change)
        assert page.status_code == 200
        assert 'name="_save"' not in page.text
        assert client.post(change, {"name": "x"}).status_code == 403
        assert client.get(address(model, "delete", row.pk)).status_code == 403


def test_no_page_shows_a_secret_or_its_hash(people: People) -> None:
    token, secret = token_of_organization(people.organization)
    fill(people, 1)
    Upload.objects.update(storage_token="the-stores-own")
    client = people.client("staff")
    hidden = [token.secret_sha256, secret, people.owner.password, "the-stores-own"]
    hidden += list(Invitation.objects.values_list("token_sha256", flat=True))
    for row in [token, people.owner, Upload.objects.get(), Invitation.objects.first()]:
        assert row is not None
        page = client.get(address(type(row), "change", row.pk)).text
        assert not [value for value in hidden if value in page]


def test_actions_are_the_services(people: People) -> None:
    token, _ = token_of_organization(people.organization)
    episode = EpisodeFactory(show__organization=people.organization)
    client = people.client("staff")

    def act(row: Any, name: str) -> str:
        data = {"action": name, "_selected_action": [str(row.pk)]}
        return client.post(address(type(row)), data, follow=True).text

    assert "Tokens revoked: 1." in act(token, "revoke")
    assert "Unpublished: 1." in act(episode, "unpublish")
    assert "The episode is not public." in act(episode, "unpublish")
    assert "Accounts closed: 1." in act(people.stranger, "close_accounts")
    act(people.staff, "close_accounts")
    token.refresh_from_db()
    episode.refresh_from_db()
    people.stranger.refresh_from_db()
    people.staff.refresh_from_db()
    assert token.revoked_at is not None
    assert episode.status == "unpublished"
    assert not people.stranger.is_active
    assert people.staff.is_active  # nobody locks themselves out


def test_what_was_counted_of_an_episode_that_is_gone_stays_in_the_list(people: People) -> None:
    fill(people, 1)
    client = people.client("staff")
    [download] = Download.objects.all()
    assert Episode.objects.get().title in client.get(address(Download)).text
    Episode.objects.all().delete()
    page = client.get(address(Download)).text
    assert str(download.episode_id) in page


def test_large_tables_are_counted_by_the_planner(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(people, 5)
    rows = Download.objects.order_by("-counted_at")
    assert EstimatingPaginator(rows, 2).count == 5
    monkeypatch.setattr(base, "COUNTED_ROWS", 3)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE downloads_download")
    pages = EstimatingPaginator(rows, 2)
    assert pages.count == 5
    assert pages.num_pages == 2  # nobody turns pages beyond what is counted


@pytest.mark.parametrize(
    ("model", "stream"),
    [
        (Episode, "episodes"),
        (Upload, "uploads"),
        (Download, "downloads"),
        (KeptHits, "hits"),
        (User, ""),
    ],
)
def test_lists_that_live_name_their_stream(people: People, model: Any, stream: str) -> None:
    page = people.client("staff").get(address(model)).text
    assert (f'data-live-list="/api/v1/platform/live/{stream}"' in page) is bool(stream)
    assert ("live-change-list.js" in page) is bool(stream)


def test_the_kept_hits_are_shown_sealed(people: People) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.columns"
            " WHERE table_name = 'downloads_hitbatch' AND column_name = ANY(%s)",
            [["id", "day", "hits", "is_from_log"]],
        )
        assert cursor.fetchone() == (4,)
    assert "sealed" not in [field.name for field in KeptHits._meta.get_fields()]


def test_pages_keep_to_the_strict_policy(people: People, settings: Settings) -> None:
    answer = people.client("staff").get(address(Episode))
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy

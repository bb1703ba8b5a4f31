"""Who is let in where: every route, asked as every kind of person.

A route that is missing from the table fails ``test_every_route_stands_in_the_matrix``.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.models import ApiToken, Invitation, Membership
from apps.core.clock import now
from apps.live.routing import websocket_urlpatterns
from apps.media.models import Upload
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import (
    EpisodeFactory,
    MembershipFactory,
    ShowFactory,
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
)
from tests.programs import token_of_organization

PERSONAS = ("anonymous", "stranger", "staff", "analyst", "editor", "admin", "owner")
MEMBERS = PERSONAS[3:]


@dataclass(frozen=True)
class World:
    """A tenant's things, one of each kind."""

    people: People
    show: Show
    draft: Episode
    published: Episode
    trashed_show: Show
    trashed_episode: Episode
    upload: Upload
    invitation: Invitation
    membership: Membership  # of somebody who asks for nothing here
    token: ApiToken  # the organisation's
    webhook: WebhookEndpoint
    delivery: WebhookDelivery


@dataclass(frozen=True)
class Row:
    """One request and who is let in; ``least`` names the weakest member for a tenant's page."""

    method: str
    path: Callable[[World], str]
    least: str = ""  # a role; or "anyone", "person" (signed in), "staff", "nobody"
    body: Callable[[World], dict[str, Any]] = lambda world: {}
    is_api: bool = False

    def expected(self, persona: str) -> str:
        """``in``, ``sign in``, ``404``, ``403`` or ``401``."""
        if self.least == "anyone":
            return "in"
        if persona == "anonymous":
            return "401" if self.is_api else "sign in"
        if self.least == "person":
            return "in"
        if self.least == "nobody":
            return "404"
        if self.least == "staff":
            return "in" if persona == "staff" else "404"
        if persona not in MEMBERS:
            return "404"
        return "in" if MEMBERS.index(persona) >= MEMBERS.index(self.least) else "403"


def page(
    path: str | Callable[[World], str],
    least: str,
    method: str = "get",
    body: Callable[[World], dict[str, Any]] = lambda world: {},
) -> Row:
    return Row(method, path if callable(path) else lambda world: path, least, body)


def api(
    path: str | Callable[[World], str],
    least: str,
    method: str = "get",
    body: Callable[[World], dict[str, Any]] = lambda world: {},
) -> Row:
    return Row(method, path if callable(path) else lambda world: path, least, body, is_api=True)


def show(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/studio/shows/{world.show.id}/{suffix}"


def episode(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/studio/episodes/{world.draft.id}/{suffix}"


def ours(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/api/v1/organizations/{world.people.organization.id}/{suffix}"


def api_show(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/api/v1/shows/{world.show.id}/{suffix}"


def api_episode(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/api/v1/episodes/{world.draft.id}/{suffix}"


def webhook(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/studio/organization/webhooks/{world.webhook.id}/{suffix}"


def delivery(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/studio/organization/webhooks/deliveries/{world.delivery.id}/{suffix}"


CHARTS = (
    *("headline", "downloads", "hours", "week", "compare"),
    *("apps", "devices", "countries", "websites"),
)


ADMIN = {
    "index": "",
    "login": "login/",
    "logout": "logout/",
    "password_change": "password_change/",
    "password_change_done": "password_change/done/",
    "autocomplete": "autocomplete/",
    "jsi18n": "jsi18n/",
    "view_on_site": "r/1/1/",
    "app_list": "podcasts/",
    "(?P<url>.*)$": "whatever/",
}


def admin_rows() -> dict[str, list[Row]]:
    """Every page of Django's admin, of every model that it shows."""
    rows = {f"admin:{name}": [page(f"/admin/{path}", "staff")] for name, path in ADMIN.items()}
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        base = f"/admin/{label.replace('_', '/', 1)}/"
        pages = {"changelist": "", "add": "add/", "history": "1/history/", "delete": "1/delete/"}
        for name, path in (pages | {"change": "1/change/"}).items():
            rows[f"admin:{label}_{name}"] = [page(base + path, "staff")]
    rows["admin:<path:object_id>/"] = [page("/admin/podcasts/episode/1/", "staff")]
    return rows


# Nobody may add or delete in the admin, and there is nothing at addresses that are made up.
STAFF_FIND_NOTHING = {
    "admin:autocomplete": {"403"},
    "admin:view_on_site": {"404"},
    "admin:(?P<url>.*)$": {"404"},
}


MATRIX: dict[str, list[Row]] = {
    # Public
    "health": [page("/healthz", "anyone")],
    "public:front": [page("/", "anyone")],
    "public:how-we-count": [page("/how-we-count/", "anyone")],
    "public:privacy": [page("/privacy/", "anyone")],
    "public:show": [page(lambda w: f"/shows/{w.show.handle}/", "anyone")],
    "public:episode": [
        page(lambda w: f"/shows/{w.show.handle}/{w.published.slug}/", "anyone"),
    ],
    # Signing in (allauth)
    "account_login": [page("/accounts/login/", "anyone")],
    "account_logout": [page("/accounts/logout/", "anyone")],
    "account_signup": [page("/accounts/signup/", "anyone")],
    "account_inactive": [page("/accounts/inactive/", "anyone")],
    "account_reset_password": [page("/accounts/password/reset/", "anyone")],
    "account_reset_password_done": [page("/accounts/password/reset/done/", "anyone")],
    "account_reset_password_from_key": [
        page("/accounts/password/reset/key/0-set-password/", "anyone")
    ],
    "account_reset_password_from_key_done": [page("/accounts/password/reset/key/done/", "anyone")],
    "account_email_verification_sent": [page("/accounts/confirm-email/", "anyone")],
    "account_confirm_email": [page("/accounts/confirm-email/none/", "anyone")],
    "account_confirm_login_code": [page("/accounts/login/code/confirm/", "anyone")],
    "account_change_password": [page("/accounts/password/change/", "person")],
    "account_set_password": [page("/accounts/password/set/", "person")],
    "account_email": [page("/accounts/email/", "person")],
    "account_reauthenticate": [page("/accounts/reauthenticate/", "person")],
    # Apps of others (OAuth 2)
    "idp:oidc:authorization": [
        page("/oauth/authorize?code_challenge=c&code_challenge_method=S256", "person"),
    ],
    "idp:oidc:token": [page("/oauth/token", "anyone", "post")],
    "idp:oidc:revoke": [page("/oauth/revoke", "anyone", "post")],
    "oauth-metadata": [page("/.well-known/oauth-authorization-server", "anyone")],
    # Organisation: always the person's own current one, so that strangers see theirs
    "people:organization": [page("/studio/organization/", "analyst")],
    "people:rename": [page("/studio/organization/rename/", "owner", "post")],
    "people:found": [page("/studio/organization/new/", "person", "post")],
    "people:invite": [page("/studio/organization/invitations/", "admin", "post")],
    "people:withdraw_invitation": [
        page(
            lambda w: f"/studio/organization/invitations/{w.invitation.id}/withdraw/",
            "admin",
            "post",
        )
    ],
    "people:change_role": [
        page(lambda w: f"/studio/organization/members/{w.membership.pk}/role/", "admin", "post")
    ],
    "people:remove_member": [
        page(lambda w: f"/studio/organization/members/{w.membership.pk}/remove/", "admin", "post")
    ],
    "people:tokens": [page("/studio/tokens/", "person")],
    "people:tokens_new": [page("/studio/tokens/new/", "person", "post")],
    "people:tokens_revoke": [
        page(lambda w: f"/studio/tokens/{w.token.id}/revoke/", "nobody", "post")
    ],
    "people:organization_tokens": [page("/studio/organization/tokens/", "admin")],
    "people:organization_tokens_new": [page("/studio/organization/tokens/new/", "admin", "post")],
    "people:organization_tokens_revoke": [
        page(
            lambda w: f"/studio/organization/tokens/{w.token.id}/revoke/",
            "admin",
            "post",
        )
    ],
    "people:switch": [
        page(
            "/studio/switch/",
            "analyst",
            "post",
            lambda w: {"organization": str(w.people.organization.id)},
        )
    ],
    "people:invitation": [page("/invitations/unknown/", "anyone")],
    # Webhooks: the list is of the person's own current organisation
    "webhooks:webhooks": [page("/studio/organization/webhooks/", "admin")],
    "webhooks:new": [page("/studio/organization/webhooks/new/", "admin")],
    "webhooks:webhook": [page(webhook(), "admin")],
    "webhooks:edit": [page(webhook("edit/"), "admin")],
    "webhooks:secret": [page(webhook("secret/"), "admin", "post")],
    "webhooks:test": [page(webhook("test/"), "admin", "post")],
    "webhooks:switch": [page(webhook("switch/"), "admin", "post")],
    "webhooks:replay": [page(webhook("replay/"), "admin", "post")],
    "webhooks:delete": [page(webhook("delete/"), "admin", "post")],
    "webhooks:delivery": [page(delivery(), "admin")],
    "webhooks:delivery_replay": [page(delivery("replay/"), "admin", "post")],
    # Studio
    "studio:home": [page("/studio/", "person")],
    "studio:trash": [page("/studio/trash/", "analyst")],
    "studio:show_new": [page("/studio/shows/new/", "admin")],
    "studio:show": [page(show(), "analyst")],
    "studio:show_downloads_csv": [page(show("downloads.csv"), "analyst")],
    "studio:show_statistics": [page(show("statistics/"), "analyst")],
    "studio:show_not_counted": [page(show("statistics/not-counted/"), "analyst")],
    "studio:show_export": [page(show("statistics/downloads.csv"), "analyst")],
    "studio:episode_statistics": [page(episode("statistics/"), "analyst")],
    "studio:episode_export": [page(episode("statistics/downloads.json"), "analyst")],
    "studio:show_settings": [page(show("settings/"), "admin")],
    "studio:show_delete": [page(show("delete/"), "admin", "post")],
    "studio:show_restore": [
        page(lambda w: f"/studio/shows/{w.trashed_show.id}/restore/", "admin", "post")
    ],
    "studio:episodes": [page(show("episodes/"), "analyst")],
    "studio:episode_new": [page(show("episodes/new/"), "editor")],
    "studio:episode": [
        page(episode(), "analyst"),
        page(episode(), "editor", "post"),
    ],
    "studio:episode_publish": [page(episode("publish/"), "editor", "post")],
    "studio:episode_schedule": [page(episode("schedule/"), "editor", "post")],
    "studio:episode_unschedule": [page(episode("unschedule/"), "editor", "post")],
    "studio:episode_unpublish": [page(episode("unpublish/"), "editor", "post")],
    "studio:episode_delete": [page(episode("delete/"), "editor", "post")],
    "studio:episode_restore": [
        page(lambda w: f"/studio/episodes/{w.trashed_episode.id}/restore/", "editor", "post")
    ],
    "studio:notes_preview": [page("/studio/notes-preview/", "person", "post")],
    # Platform
    "platform:home": [page("/platform/", "staff")],
    "platform:release": [page("/platform/release/", "staff", "post")],
    **admin_rows(),
    # API
    "api:schema": [api("/api/v1/schema/", "anyone")],
    "reference:overview": [page("/api/v1/docs/", "anyone")],
    "reference:chapter": [page("/api/v1/docs/shows/", "anyone")],
    "api:shows": [api("/api/v1/shows/", "person")],
    "api:show": [
        api(lambda w: f"/api/v1/shows/{w.show.id}/", "analyst"),
        api(lambda w: f"/api/v1/shows/{w.show.id}/", "admin", "patch"),
        api(lambda w: f"/api/v1/shows/{w.show.id}/", "admin", "delete"),
    ],
    "api:me": [api("/api/v1/me/", "person")],
    "api:vocabularies": [api("/api/v1/vocabularies/", "person")],
    "api:organizations": [
        api("/api/v1/organizations/", "person"),
        api("/api/v1/organizations/", "person", "post", lambda w: {"name": "New"}),
    ],
    "api:organization": [
        api(ours(), "analyst"),
        api(ours(), "owner", "patch", lambda w: {"name": "Renamed"}),
    ],
    "api:members": [api(ours("members/"), "analyst")],
    "api:member": [
        api(lambda w: ours(f"members/{w.membership.pk}/")(w), "analyst"),
        api(
            lambda w: ours(f"members/{w.membership.pk}/")(w),
            "admin",
            "patch",
            lambda w: {"role": "editor"},
        ),
        api(lambda w: ours(f"members/{w.membership.pk}/")(w), "admin", "delete"),
    ],
    "api:invitations": [
        api(ours("invitations/"), "admin"),
        api(
            ours("invitations/"),
            "admin",
            "post",
            lambda w: {"email": "new@example.com", "role": "analyst"},
        ),
    ],
    "api:invitation": [
        api(lambda w: ours(f"invitations/{w.invitation.id}/")(w), "admin"),
        api(lambda w: ours(f"invitations/{w.invitation.id}/")(w), "admin", "delete"),
    ],
    "api:accept-invitation": [api("/api/v1/invitations/accept/", "person", "post")],
    "api:organization-shows": [
        api(ours("shows/"), "analyst"),
        api(ours("shows/"), "admin", "post"),
    ],
    "api:trash": [api(ours("trash/"), "analyst")],
    "api:show-artwork": [
        api(lambda w: f"/api/v1/shows/{w.show.id}/artwork/", "admin", "put"),
        api(lambda w: f"/api/v1/shows/{w.show.id}/artwork/", "admin", "delete"),
    ],
    "api:show-feed": [api(lambda w: f"/api/v1/shows/{w.show.id}/feed/", "analyst")],
    "api:handles": [api(lambda w: f"/api/v1/shows/{w.show.id}/handles/", "analyst")],
    "api:restore-show": [
        api(lambda w: f"/api/v1/shows/{w.trashed_show.id}/restore/", "admin", "post")
    ],
    "api:check-handle": [
        api("/api/v1/handles/check/?handle=free", "person"),
        api(lambda w: f"/api/v1/handles/check/?handle=free&show={w.show.id}", "analyst"),
    ],
    "api:quarantine": [api("/api/v1/platform/quarantine/", "staff")],
    "api:release-quarantine": [api("/api/v1/platform/quarantine/release/", "staff", "post")],
    "api:organization-live": [
        api(lambda w: f"/api/v1/organizations/{w.people.organization.id}/live/state/", "analyst")
    ],
    "api:show-live": [api(lambda w: f"/api/v1/shows/{w.show.id}/live/state/", "analyst")],
    "api:episode-live": [api(lambda w: f"/api/v1/episodes/{w.draft.id}/live/state/", "analyst")],
    "api:all-episodes": [api("/api/v1/episodes/", "person")],
    "api:notes-preview": [api("/api/v1/notes-preview/", "person", "post")],
    "api:episodes": [
        api(api_show("episodes/"), "analyst"),
        api(api_show("episodes/"), "editor", "post", lambda w: {"title": "New"}),
    ],
    "api:change-episodes": [api(api_show("episodes/bulk/"), "editor", "post")],
    "api:reorder-episodes": [api(api_show("episodes/reorder/"), "editor", "post")],
    "api:seasons": [api(api_show("seasons/"), "analyst")],
    "api:episode": [
        api(api_episode(), "analyst"),
        api(api_episode(), "editor", "patch", lambda w: {"title": "Other"}),
        api(api_episode(), "editor", "delete"),
    ],
    "api:publish-episode": [api(api_episode("publish/"), "editor", "post")],
    "api:schedule-episode": [api(api_episode("schedule/"), "editor", "post")],
    "api:unschedule-episode": [api(api_episode("unschedule/"), "editor", "post")],
    "api:unpublish-episode": [api(api_episode("unpublish/"), "editor", "post")],
    "api:restore-episode": [
        api(lambda w: f"/api/v1/episodes/{w.trashed_episode.id}/restore/", "editor", "post")
    ],
    "api:episode-artwork": [
        api(api_episode("artwork/"), "editor", "put"),
        api(api_episode("artwork/"), "editor", "delete"),
    ],
    "api:episode-chapters": [api(api_episode("chapters/"), "analyst")],
    "api:episode-audio": [
        api(api_episode("audio/"), "analyst"),
        api(
            api_episode("audio/"),
            "editor",
            "post",
            lambda w: {"asset": str(w.draft.audio_id)},
        ),
    ],
    "api:show-downloads": [api(api_show("downloads/"), "analyst")],
    "api:episode-downloads": [api(api_episode("downloads/"), "analyst")],
    **{
        f"api:show-statistics-{chart}": [api(api_show(f"statistics/{chart}/"), "analyst")]
        for chart in (*CHARTS, "listeners", "episodes", "not-counted")
    },
    **{
        f"api:episode-statistics-{chart}": [api(api_episode(f"statistics/{chart}/"), "analyst")]
        for chart in CHARTS
    },
    **{
        f"api:organization-statistics-{chart}": [api(ours(f"statistics/{chart}/"), "analyst")]
        for chart in ("headline", "downloads", "shows")
    },
    "api:tokens": [
        api("/api/v1/tokens/", "person"),
        api("/api/v1/tokens/", "person", "post", lambda w: {"name": "A", "scopes": ["read"]}),
    ],
    # Whoever's it is: it isn't among their own. See tests/api/test_tokens.py for those.
    "api:token": [
        api(lambda w: f"/api/v1/tokens/{w.token.id}/", "nobody"),
        api(lambda w: f"/api/v1/tokens/{w.token.id}/", "nobody", "delete"),
    ],
    "api:organization-tokens": [
        api(lambda w: f"/api/v1/organizations/{w.people.organization.id}/tokens/", "admin"),
        api(
            lambda w: f"/api/v1/organizations/{w.people.organization.id}/tokens/",
            "admin",
            "post",
            lambda w: {"name": "A", "scopes": ["read"]},
        ),
    ],
    "api:organization-token": [
        api(
            lambda w: f"/api/v1/organizations/{w.people.organization.id}/tokens/{w.token.id}/",
            "admin",
            method,
        )
        for method in ("get", "delete")
    ],
    "api:retry-audio": [api(api_episode("audio/retry/"), "editor", "post")],
    "api:asset": [api(lambda w: f"/api/v1/assets/{w.draft.audio_id}/", "editor")],
    "api:organization-uploads": [
        api(lambda w: f"/api/v1/organizations/{w.people.organization.id}/uploads/", "editor")
    ],
    "api:uploads": [
        api(
            "/api/v1/uploads/",
            "editor",
            "post",
            lambda w: {
                "organization": str(w.people.organization.id),
                "filename": "a.mp3",
                "size_bytes": 10,
            },
        )
    ],
    "api:upload": [
        api(lambda w: f"/api/v1/uploads/{w.upload.id}/", "editor"),
        api(lambda w: f"/api/v1/uploads/{w.upload.id}/", "editor", "delete"),
    ],
    "api:part-urls": [
        api(
            lambda w: f"/api/v1/uploads/{w.upload.id}/part-urls/",
            "editor",
            "post",
            lambda w: {"numbers": [1]},
        )
    ],
    "api:complete-upload": [
        api(lambda w: f"/api/v1/uploads/{w.upload.id}/complete/", "editor", "post")
    ],
    "api:webhooks": [
        api(lambda w: f"/api/v1/organizations/{w.people.organization.id}/webhooks/", "admin"),
        api(
            lambda w: f"/api/v1/organizations/{w.people.organization.id}/webhooks/",
            "admin",
            "post",
            lambda w: {"url": "https://93.184.216.34/", "events": ["episode.published"]},
        ),
    ],
    "api:webhook": [
        api(lambda w: f"/api/v1/webhooks/{w.webhook.id}/", "admin"),
        api(lambda w: f"/api/v1/webhooks/{w.webhook.id}/", "admin", "patch"),
        api(lambda w: f"/api/v1/webhooks/{w.webhook.id}/", "admin", "delete"),
    ],
    "api:webhook-secret": [
        api(lambda w: f"/api/v1/webhooks/{w.webhook.id}/secret/", "admin", "post")
    ],
    "api:webhook-test": [api(lambda w: f"/api/v1/webhooks/{w.webhook.id}/test/", "admin", "post")],
    "api:webhook-replay": [
        api(
            lambda w: f"/api/v1/webhooks/{w.webhook.id}/replay/",
            "admin",
            "post",
            lambda w: {"since": "2026-01-01T00:00Z"},
        )
    ],
    "api:webhook-deliveries": [
        api(lambda w: f"/api/v1/webhooks/{w.webhook.id}/deliveries/", "admin")
    ],
    "api:webhook-delivery": [
        api(lambda w: f"/api/v1/webhook-deliveries/{w.delivery.id}/", "admin")
    ],
    "api:webhook-delivery-replay": [
        api(lambda w: f"/api/v1/webhook-deliveries/{w.delivery.id}/replay/", "admin", "post")
    ],
    "api:platform-live": [api("/api/v1/platform/live/state/", "staff")],
}


ENDED: dict[str, Any] = {"next_attempt_at": None, "finished_at": now()}


@pytest.fixture
def world(people: People, clean_valkey: None) -> World:
    ours = ShowFactory(organization=people.organization, handle="ours")
    return World(
        people=people,
        show=ours,
        draft=EpisodeFactory(show=ours, status="draft", slug="draft"),
        published=EpisodeFactory(show=ours, slug="published"),
        trashed_show=ShowFactory(organization=people.organization, deleted_at=now()),
        trashed_episode=EpisodeFactory(show=ours, status="draft", deleted_at=now()),
        upload=Upload.objects.create(
            organization=people.organization,
            created_by=people.editor,
            filename="a.mp3",
            size_bytes=10,
            part_size_bytes=10,
            expires_at=now() + settings.UPLOAD_LIFETIME,
        ),
        membership=MembershipFactory(organization=people.organization, role="analyst"),
        invitation=Invitation.objects.create(
            organization=people.organization,
            email="somebody@example.com",
            role="editor",
            token_sha256="0" * 64,
            expires_at=now() + settings.INVITATION_LIFETIME,
        ),
        token=token_of_organization(people.organization)[0],
        webhook=(endpoint := WebhookEndpointFactory(organization=people.organization)),
        delivery=WebhookDeliveryFactory(endpoint=endpoint, status="failed", **ENDED),
    )


def ask(client: Client, row: Row, world: World) -> str:
    """How the person fared: see Row.expected."""
    body = row.body(world)
    kwargs: dict[str, Any] = {}
    if row.method != "get":
        kwargs = (
            {"data": json.dumps(body), "content_type": "application/json"}
            if row.is_api
            else {"data": body}
        )
    response = getattr(client, row.method)(row.path(world), **kwargs)
    if response.status_code in {401, 403, 404}:
        return str(response.status_code)
    assert response.status_code < 500
    location = response.headers.get("Location", "")
    return "sign in" if location.startswith("/accounts/login/") else "in"


def rows() -> list[Any]:
    return [
        pytest.param(name, row, id=f"{row.method} {name}")
        for name, requests in MATRIX.items()
        for row in requests
    ]


# Pages that answer 404 for reasons of their own, or send people who are signed in elsewhere.
OWN_ANSWERS = {
    "people:invitation": {"404"},
    "account_confirm_login_code": {"in", "sign in"},  # nobody waits for a code
}
# The current organisation is the stranger's own: they are let in, to their own things.
OWN_ORGANIZATION = {
    "people:organization",
    "people:rename",
    "people:invite",
    "people:withdraw_invitation",
    "people:organization_tokens",
    "people:organization_tokens_new",
    "studio:trash",
    "studio:show_new",
    "webhooks:webhooks",
    "webhooks:new",
}


@pytest.mark.parametrize(("name", "row"), rows())
def test_everybody_fares_as_the_matrix_says(name: str, row: Row, world: World) -> None:
    for persona in PERSONAS:
        expected = row.expected(persona)
        if name in OWN_ORGANIZATION and persona == "stranger":
            expected = "in"
        allowed = OWN_ANSWERS.get(name, {expected})
        if name.startswith("admin:") and persona == "staff":
            allowed = STAFF_FIND_NOTHING.get(name, {"in", "403"})
        with transaction.atomic():
            fared = ask(world.people.client(persona), row, world)
            transaction.set_rollback(True)  # the next one finds the world as it was
        assert fared in allowed, f"{persona} {row.method} {name}: {fared}, not {expected}"


def route_names(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            namespace = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from route_names(pattern.url_patterns, namespace)
        elif isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name or pattern.pattern}"


def test_every_route_stands_in_the_matrix() -> None:
    names = set(route_names(get_resolver(settings.ROOT_URLCONF).url_patterns))
    assert names == set(MATRIX)


# --- The data plane knows no persons: what is public is public, and nothing else is -------------


def test_every_route_of_the_data_plane_is_known() -> None:
    """Public feeds, media, artwork and chapters, and parts with a signed address."""
    names = set(route_names(get_resolver(settings.DATA_URLCONF).url_patterns))
    assert names == {"media", "feed", "chapters", "artwork", "upload-part"}


# --- Sockets ------------------------------------------------------------------------------------

SOCKETS: dict[str, tuple[Callable[[World], str], str]] = {
    "live/organizations/<uuid:id>/": (
        lambda w: f"/live/organizations/{w.people.organization.id}/",
        "analyst",
    ),
    "live/shows/<uuid:id>/": (lambda w: f"/live/shows/{w.show.id}/", "analyst"),
    "live/episodes/<uuid:id>/downloads/": (
        lambda w: f"/live/episodes/{w.draft.id}/downloads/",
        "analyst",
    ),
    "live/platform/": (lambda w: "/live/platform/", "staff"),
    "live/episodes/<uuid:episode_id>/": (lambda w: f"/live/episodes/{w.draft.id}/", "analyst"),
}


def test_every_socket_stands_in_the_matrix() -> None:
    assert {str(pattern.pattern) for pattern in websocket_urlpatterns} == set(SOCKETS)


async def is_let_in(path: str, user: Any) -> bool:
    communicator = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)
    communicator.scope["user"] = user
    is_connected, _ = await communicator.connect(timeout=5)
    await communicator.disconnect()
    return bool(is_connected)


@pytest.mark.parametrize("pattern", SOCKETS)
@pytest.mark.django_db(transaction=True)
async def test_sockets_let_in_whom_the_matrix_says(pattern: str, world: World) -> None:
    path, least = SOCKETS[pattern]
    row = Row("get", path, least)
    for persona in PERSONAS:
        user = AnonymousUser() if persona == "anonymous" else getattr(world.people, persona)
        expected = row.expected(persona) == "in"
        assert await is_let_in(path(world), user) is expected, persona


def test_ids_of_nothing_answer_as_those_of_others_do(world: World) -> None:
    """A stranger can't tell a foreign row from none."""
    client = world.people.client("stranger")
    nothing = UUID(int=7)
    for path in ("/studio/shows/{}/", "/studio/episodes/{}/"):
        foreign_id = world.show.id if "shows" in path else world.draft.id
        answers = [client.get(path.format(pk)) for pk in (nothing, foreign_id)]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].content == answers[1].content

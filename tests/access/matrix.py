"""Who is let in where: every route, and what the kinds of persons find there."""

from django.contrib import admin

from tests.access.rows import (
    Row,
    api,
    api_episode,
    api_show,
    delivery,
    episode,
    ours,
    page,
    show,
    webhook,
)

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

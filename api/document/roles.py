"""Who may do what, at least: told beside each operation, and compared with the access matrix."""

from typing import Any

from api.document.about import SESSION

# By the operation's name. Whatever is not named here is for everybody who has signed in.
_LEAST = {
    "anyone": [
        "get_schema",
    ],
    "staff": [
        "get_platform_live_state",
        "list_quarantine",
        "release_from_quarantine",
        "stream_platform_live",
    ],
    "owner": [
        "rename_organization",
    ],
    "admin": [
        "change_member_role",
        "create_organization_token",
        "create_organization_webhook",
        "create_show",
        "delete_show",
        "delete_webhook",
        "get_invitation",
        "get_organization_token",
        "get_webhook",
        "get_webhook_delivery",
        "list_invitations",
        "list_organization_tokens",
        "list_organization_webhooks",
        "list_webhook_deliveries",
        "remove_member",
        "remove_show_artwork",
        "renew_webhook_secret",
        "replay_webhook",
        "replay_webhook_delivery",
        "restore_show",
        "revoke_organization_token",
        "send_invitation",
        "set_show_artwork",
        "test_webhook",
        "update_show",
        "update_webhook",
        "withdraw_invitation",
    ],
    "editor": [
        "abort_upload",
        "change_episodes",
        "complete_upload",
        "create_episode",
        "delete_episode",
        "dismiss_episode_audio",
        "get_asset",
        "get_upload",
        "list_uploads",
        "open_upload",
        "publish_episode",
        "remove_episode_artwork",
        "reorder_episodes",
        "request_part_urls",
        "restore_episode",
        "retry_episode_audio",
        "schedule_episode",
        "set_episode_artwork",
        "set_episode_audio",
        "unpublish_episode",
        "unschedule_episode",
        "update_episode",
    ],
    "analyst": [
        "get_episode",
        "get_episode_audio",
        "get_episode_chapters",
        "get_episode_live_state",
        "get_episode_statistics_apps",
        "get_episode_statistics_compare",
        "get_episode_statistics_countries",
        "get_episode_statistics_devices",
        "get_episode_statistics_downloads",
        "get_episode_statistics_headline",
        "get_episode_statistics_hours",
        "get_episode_statistics_websites",
        "get_episode_statistics_week",
        "get_member",
        "get_organization",
        "get_organization_live_state",
        "get_organization_statistics_downloads",
        "get_organization_statistics_headline",
        "get_organization_statistics_shows",
        "get_show",
        "get_show_feed",
        "get_show_live_state",
        "get_show_statistics_apps",
        "get_show_statistics_compare",
        "get_show_statistics_countries",
        "get_show_statistics_devices",
        "get_show_statistics_downloads",
        "get_show_statistics_episodes",
        "get_show_statistics_headline",
        "get_show_statistics_hours",
        "get_show_statistics_listeners",
        "get_show_statistics_not_counted",
        "get_show_statistics_websites",
        "get_show_statistics_week",
        "list_episode_downloads",
        "list_members",
        "list_organization_shows",
        "list_show_downloads",
        "list_show_episodes",
        "list_show_handles",
        "list_show_seasons",
        "list_trash",
        "stream_episode_live",
        "stream_organization_live",
        "stream_show_live",
    ],
}
LEAST_ROLES = {name: role for role, names in _LEAST.items() for name in names}
WORDS = {
    "anyone": "anybody",
    "person": "anybody who has signed in",
    "analyst": "members, analysts included",
    "editor": "editors, admins and owners",
    "admin": "admins and owners",
    "owner": "owners",
    "staff": "the platform’s staff",
}
# What no token can do: it takes a person who has signed in.
SESSION_ONLY = {
    "create_token",
    "create_organization_token",
    "revoke_organization_token",
    "list_quarantine",
    "release_from_quarantine",
}


def add_roles(document: dict[str, Any]) -> None:
    """As ``x-role``, a key of :data:`WORDS`."""
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            operation["x-role"] = LEAST_ROLES.get(name, "person")
            if name in SESSION_ONLY:
                operation["security"] = [{SESSION: []}]

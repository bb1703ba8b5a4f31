"""The chapters of the document: each operation belongs to one, told from its address."""

from typing import Any

# In reading order: name, title, and what is in it.
TAGS = {
    "start": (
        "Getting started",
        (
            "Who asks, what they may do, how much they may ask for, and what can be chosen in "
            "fields."
        ),
    ),
    "organizations": (
        "Organisations",
        "Tenants: everything else belongs to one. What was deleted waits in its trash.",
    ),
    "people": ("People", "Members of an organisation with their roles, and open invitations."),
    "shows": (
        "Shows",
        (
            "Podcasts: their texts, pictures, handles and feeds. Reading takes a member, changing "
            "an admin."
        ),
    ),
    "episodes": (
        "Episodes",
        (
            "Drafts and what was published: texts, numbers, seasons, pictures, chapters; "
            "publishing, scheduling, withdrawing. Changing takes an editor."
        ),
    ),
    "audio": (
        "Audio and uploads",
        (
            "Files on their way in, in parts that are checked and can be sent again, and what "
            "becomes of them."
        ),
    ),
    "statistics": (
        "Statistics",
        (
            "Downloads, counted after IAB v2.3, as numbers: every chart of the studio, and the "
            "downloads one by one. Takes the scope `stats`."
        ),
    ),
    "live": (
        "Live",
        (
            "What is downloaded right now: as JSON to ask for, or as server-sent events that "
            "last. Takes the scope `stats`."
        ),
    ),
    "webhooks": (
        "Webhooks",
        (
            "Addresses of yours that are told what happens, the log of what was sent, and its "
            "replay."
        ),
    ),
    "tokens": ("API tokens", "How programs sign in. Only a signed-in person makes one."),
    "platform": (
        "Platform",
        ("For the platform’s staff, signed in by session; for others these addresses don’t exist."),
    ),
}
# The first of these that stands in an address decides.
_WORDS = {
    "platform": "platform",
    "live": "live",
    "statistics": "statistics",
    "downloads": "statistics",
    "not-counted": "statistics",
    "tokens": "tokens",
    "webhooks": "webhooks",
    "webhook-deliveries": "webhooks",
    "uploads": "audio",
    "assets": "audio",
    "audio": "audio",
    "members": "people",
    "invitations": "people",
    "episodes": "episodes",
    "seasons": "episodes",
    "notes-preview": "episodes",
    "shows": "shows",
    "handles": "shows",
    "organizations": "organizations",
}


def tag_of(path: str) -> str:
    """For an address such as ``/api/v1/shows/{show_id}/feed/``."""
    words = path.strip("/").split("/")[2:]
    return next((tag for word, tag in _WORDS.items() if word in words), "start")


def described_tags() -> list[dict[str, Any]]:
    """For the document's root; ``summary`` as OpenAPI 3.2 has it, in 3.1's spelling."""
    return [
        {"name": name, "description": text, "x-displayName": title}
        for name, (title, text) in TAGS.items()
    ]

"""The demo: people, an organisation and a show with three episodes, made once, by the services."""

import json
import os
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from apps.accounts.models import Membership, Organization, User
from apps.accounts.roles import Role
from apps.accounts.services import found_organization
from apps.core.clock import now
from apps.core.hashing import sha256_of_bytes
from apps.media.models import Asset, AssetStatus
from apps.media.retention import hold_object
from apps.media.storage import storage
from podcasts.audio import process_incoming, receive_audio
from podcasts.demo_audio import NUMBERS, Rendered, render_cover, render_episode
from podcasts.demo_texts import (
    EPISODES,
    SHOW_AUTHOR,
    SHOW_CATEGORY,
    SHOW_DESCRIPTION,
    SHOW_HANDLE,
    SHOW_TITLE,
)
from podcasts.models import Episode, EpisodeStatus, Handle, Show
from podcasts.services.episodes import create_episode
from podcasts.services.publishing import is_on_its_way, publish_episode
from podcasts.services.shows import create_show

OWNER = "demo@example.com"
ADMIN = "admin@example.com"
ORGANIZATION = "Demo"
_DAYS_AGO = {1: 16, 2: 9, 3: 2}

type Passwords = dict[str, str]


class DemoError(Exception):
    """The demo can't be made; the message says why."""


def seed_demo() -> bool:
    """Make the demo, or what an interrupted run left out; False when it was complete already.

    ``demo.json`` in the data folder is written last: it says who can sign in and where to look.
    """
    finished = settings.DATA / "demo.json"
    if finished.exists():
        return False
    draft = settings.DATA / ".demo.json"
    passwords = _passwords(draft)
    owner = _person(OWNER, "Demo Owner", passwords)
    admin = _person(ADMIN, "Platform Admin", passwords, is_staff=True)
    show = _show(_organization(owner, admin), owner)
    for number in NUMBERS:
        _episode(show, owner, number)
    _write(draft, _for_the_operator(show, passwords))
    draft.rename(finished)
    return True


def _passwords(draft: Path) -> Passwords:
    """Those of an interrupted run, or new ones: on disk before anybody has them."""
    try:
        found: Passwords = json.loads(draft.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        found = {}
    if "people" in found:  # it was written whole, and only not renamed
        people: list[dict[str, str]] = json.loads(draft.read_text())["people"]
        found = {person["email"]: person["password"] for person in people}
    passwords = {email: found.get(email) or secrets.token_urlsafe(9) for email in (OWNER, ADMIN)}
    _write(draft, passwords)
    return passwords


def _write(path: Path, content: object) -> None:
    """Replace the file at once; nobody but its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".demo-", dir=path.parent)  # mode 600
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    Path(name).replace(path)


@transaction.atomic
def _person(email: str, name: str, passwords: Passwords, *, is_staff: bool = False) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, passwords[email], name=name, is_staff=is_staff)
    elif not user.check_password(passwords[email]):
        del passwords[email]  # somebody's own: neither changed nor told
    EmailAddress.objects.get_or_create(
        user=user, email=email, defaults={"verified": True, "primary": True}
    )
    return user


@transaction.atomic
def _organization(owner: User, admin: User) -> Organization:
    """The owner's first organisation; the admin belongs to it, so that the studio has a home."""
    membership = (
        Membership.objects.filter(user=owner, role=Role.OWNER).select_related("organization")
    ).first()
    organization = (
        membership.organization
        if membership
        else found_organization(owner=owner, name=ORGANIZATION)
    )
    Membership.objects.get_or_create(
        organization=organization, user=admin, defaults={"role": Role.ADMIN}
    )
    return organization


def _show(organization: Organization, owner: User) -> Show:
    handle = Handle.objects.filter(handle=SHOW_HANDLE).select_related("show__organization").first()
    if handle is None:
        return create_show(
            organization=organization,
            artwork=render_cover(),
            title=SHOW_TITLE,
            handle=SHOW_HANDLE,
            description=SHOW_DESCRIPTION,
            category=SHOW_CATEGORY,
            author=SHOW_AUTHOR,
            owner_name=owner.name,
            owner_email=owner.email,
        )
    if handle.show is None or handle.show.organization_id != organization.pk:
        raise DemoError(f"Another show has the handle “{SHOW_HANDLE}”.")
    return handle.show


def _episode(show: Show, owner: User, number: int) -> None:
    """An episode with its audio, published in the past."""
    title = EPISODES[number].title
    episode = Episode.objects.for_show(show).filter(title=title).first()
    if episode is not None and (episode.deleted_at or episode.status == EpisodeStatus.PUBLISHED):
        return
    episode = _with_audio(show, owner, number, episode)
    if not is_on_its_way(episode):
        publish_episode(episode=episode, at=now() - timedelta(days=_DAYS_AGO[number]))
    asset = episode.incoming_audio
    if asset is None:
        return
    # Here and now, for no worker may be running yet; one that runs may have taken it already.
    process_incoming(asset.pk)
    asset.refresh_from_db()
    if asset.status == AssetStatus.FAILED:
        raise DemoError(f"“{title}” could not be prepared. {asset.error_message}")


def _with_audio(show: Show, owner: User, number: int, episode: Episode | None) -> Episode:
    """The episode with a file that is served or on its way."""
    incoming = episode.incoming_audio if episode else None
    is_coming = incoming is not None and incoming.status != AssetStatus.FAILED
    if episode is not None and (episode.audio_id or is_coming):
        return episode
    rendered = render_episode(number)
    episode = episode or create_episode(
        show=show,
        created_by=owner,
        title=rendered.title,
        notes=rendered.notes,
        episode_number=number,
    )
    receive_audio(episode=episode, asset=_stored(show, rendered))
    episode.refresh_from_db()
    return episode


@transaction.atomic
def _stored(show: Show, rendered: Rendered) -> Asset:
    sha256 = sha256_of_bytes(rendered.mp3)
    key = f"assets/{sha256[:2]}/{sha256}"
    with tempfile.TemporaryDirectory(prefix="longwave-demo-") as folder:
        path = Path(folder, rendered.filename)
        path.write_bytes(rendered.mp3)
        hold_object(key)
        storage().put(path, key, content_type="audio/mpeg")
    return Asset.objects.create(
        organization_id=show.organization_id,
        filename=rendered.filename,
        size_bytes=len(rendered.mp3),
        storage_key=key,
    )


def _for_the_operator(show: Show, passwords: Passwords) -> dict[str, list[dict[str, str]]]:
    people = {OWNER: "Podcaster", ADMIN: "Platform admin"}
    return {
        "pages": [
            {"name": "Demo show", "path": f"/shows/{show.handle}/"},
            {"name": "Its feed", "path": f"/feeds/{show.handle}.xml"},
            {"name": "Its dashboard", "path": f"/studio/shows/{show.pk}/"},
            {"name": "Platform", "path": "/platform/"},
        ],
        "people": [
            {"who": people[email], "email": email, "password": password}
            for email, password in passwords.items()
        ],
    }

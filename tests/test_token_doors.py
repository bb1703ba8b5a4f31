"""Every door, asked with every kind of token: what it opens is written down here in full."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.accounts.access import membership_condition, organizations_of, require_role
from apps.accounts.actors import Actor, TokenActor, person_of
from apps.accounts.models import Organization
from apps.accounts.roles import Role
from apps.live.access import require_board
from apps.live.groups import PLATFORM, Board
from apps.media.access import get_asset, get_upload
from apps.media.models import Asset, Upload
from apps.media.uploads import open_upload
from podcasts.access import get_episode, get_show, require_uploader, shows_of_member
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import AssetFactory, EpisodeFactory, MembershipFactory
from tests.programs import token_of_organization, token_of_person


@dataclass(frozen=True)
class World:
    """Two organisations of one person, two shows in the first, and files of everybody."""

    people: People
    show: Show
    other_show: Show
    second: Organization  # of the editor as well
    second_show: Show
    foreign_show: Show
    actors: dict[str, Actor]
    uploads: dict[str, Upload]  # by whoever opened them
    assets: dict[str, Asset]


def person(world_people: People, show_id: UUID | None = None) -> TokenActor:
    return TokenActor(token_of_person(world_people.editor, show_id=show_id)[0])


def organization(people: People, role: Role, show_id: UUID | None = None) -> TokenActor:
    return TokenActor(token_of_organization(people.organization, role, show_id=show_id)[0])


@pytest.fixture
def world(people: People, clean_valkey: None) -> World:
    show = EpisodeFactory(show__organization=people.organization).show
    other = EpisodeFactory(show__organization=people.organization).show
    second = MembershipFactory(user=people.editor, role="editor").organization
    second_show = EpisodeFactory(show__organization=second).show
    foreign = EpisodeFactory(show__organization=people.stranger.memberships.get().organization).show
    actors: dict[str, Actor] = {
        "anonymous": AnonymousUser(),
        "editor": people.editor,
        "person": person(people),
        "person, one show": person(people, show.id),
        "person, foreign show": person(people, foreign.id),
        "analyst": organization(people, Role.ANALYST),
        "organization": organization(people, Role.EDITOR),
        "admin": organization(people, Role.ADMIN),
        "organization, one show": organization(people, Role.EDITOR, show.id),
        "organization, foreign show": organization(people, Role.EDITOR, foreign.id),
        "staff": TokenActor(token_of_person(people.staff)[0]),
    }
    openers = {name: actor for name, actor in actors.items() if name != "anonymous"}
    uploads = {
        name: open_upload(
            organization=people.organization, actor=actor, filename="a.mp3", size_bytes=5
        )[0]
        for name, actor in openers.items()
    }
    assets: dict[str, Any] = {
        name: AssetFactory(organization=people.organization, upload=upload)
        for name, upload in uploads.items()
    }
    assets["nobody"] = AssetFactory(organization=people.organization)
    return World(people, show, other, second, second_show, foreign, actors, uploads, assets)


def fares(ask: Callable[..., object], *arguments: object) -> int:
    """200, 403 or 404."""
    try:
        ask(*arguments)
    except Http404:
        return 404
    except PermissionDenied:
        return 403
    return 200


def one_episode(show: Show) -> Episode:
    return Episode.objects.get(show=show)


DOORS: dict[str, Callable[[World, Actor], object]] = {
    "organization": lambda w, a: require_role(a, w.people.organization.id),
    "organization as admin": lambda w, a: require_role(a, w.people.organization.id, Role.ADMIN),
    "organization as owner": lambda w, a: require_role(a, w.people.organization.id, Role.OWNER),
    "second organization": lambda w, a: require_role(a, w.second.id),
    "uploading": lambda w, a: require_uploader(a, w.people.organization.id),
    "uploading elsewhere": lambda w, a: require_uploader(a, w.second.id),
    "show": lambda w, a: get_show(a, w.show.id),
    "show as editor": lambda w, a: get_show(a, w.show.id, Role.EDITOR),
    "show as admin": lambda w, a: get_show(a, w.show.id, Role.ADMIN),
    "other show": lambda w, a: get_show(a, w.other_show.id),
    "second show": lambda w, a: get_show(a, w.second_show.id),
    "foreign show": lambda w, a: get_show(a, w.foreign_show.id),
    "episode": lambda w, a: get_episode(a, one_episode(w.show).id),
    "episode as editor": lambda w, a: get_episode(a, one_episode(w.show).id, Role.EDITOR),
    "other episode": lambda w, a: get_episode(a, one_episode(w.other_show).id),
    "board of organization": lambda w, a: require_board(
        a, Board.of_organization(w.people.organization.id)
    ),
    "board of show": lambda w, a: require_board(a, Board.of_show(w.show.id)),
    "board of other show": lambda w, a: require_board(a, Board.of_show(w.other_show.id)),
    "board of episode": lambda w, a: require_board(a, Board.of_episode(one_episode(w.show).id)),
    "board of platform": lambda w, a: require_board(a, PLATFORM),
}
# In the order of the actors: anonymous, editor; a person's token for all, for one show, for a
# foreign show; an organisation's analyst, editor, admin, for one show, for a foreign show; staff's.
ANSWERS = {
    "organization":          (404, 200, 200, 404, 404, 200, 200, 200, 404, 404, 404),
    "organization as admin": (404, 403, 403, 404, 404, 403, 403, 200, 404, 404, 404),
    "organization as owner": (404, 403, 403, 404, 404, 403, 403, 403, 404, 404, 404),
    "second organization":   (404, 200, 200, 404, 404, 404, 404, 404, 404, 404, 404),
    "uploading":             (404, 200, 200, 200, 404, 403, 200, 200, 200, 404, 404),
    "uploading elsewhere":   (404, 200, 200, 404, 404, 404, 404, 404, 404, 404, 404),
    "show":                  (404, 200, 200, 200, 404, 200, 200, 200, 200, 404, 404),
    "show as editor":        (404, 200, 200, 200, 404, 403, 200, 200, 200, 404, 404),
    "show as admin":         (404, 403, 403, 403, 404, 403, 403, 200, 403, 404, 404),
    "other show":            (404, 200, 200, 404, 404, 200, 200, 200, 404, 404, 404),
    "second show":           (404, 200, 200, 404, 404, 404, 404, 404, 404, 404, 404),
    "foreign show":          (404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "episode":               (404, 200, 200, 200, 404, 200, 200, 200, 200, 404, 404),
    "episode as editor":     (404, 200, 200, 200, 404, 403, 200, 200, 200, 404, 404),
    "other episode":         (404, 200, 200, 404, 404, 200, 200, 200, 404, 404, 404),
    "board of organization": (404, 200, 200, 404, 404, 200, 200, 200, 404, 404, 404),
    "board of show":         (404, 200, 200, 200, 404, 200, 200, 200, 200, 404, 404),
    "board of other show":   (404, 200, 200, 404, 404, 200, 200, 200, 404, 404, 404),
    "board of episode":      (404, 200, 200, 200, 404, 200, 200, 200, 200, 404, 404),
    "board of platform":     (404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404),
}  # fmt: skip


def test_every_door_opens_for_whom_the_table_says(world: World) -> None:
    found = {
        name: tuple(fares(door, world, actor) for actor in world.actors.values())
        for name, door in DOORS.items()
    }
    assert found == ANSWERS


LISTS = {
    "anonymous": set(),
    "editor": {"show", "other_show", "second_show"},
    "person": {"show", "other_show", "second_show"},
    "person, one show": {"show"},
    "person, foreign show": set(),
    "analyst": {"show", "other_show"},
    "organization": {"show", "other_show"},
    "admin": {"show", "other_show"},
    "organization, one show": {"show"},
    "organization, foreign show": set(),
    "staff": set(),
}


def test_lists_hold_what_the_doors_would_open(world: World) -> None:
    shows = {getattr(world, name).id: name for name in ("show", "other_show", "second_show")} | {
        world.foreign_show.id: "foreign_show"
    }
    found = {
        name: {shows[show.id] for show in shows_of_member(actor)}
        for name, actor in world.actors.items()
    }
    assert found == LISTS


def test_a_list_that_forgets_to_name_the_show_holds_nothing_for_one_shows_token(
    world: World,
) -> None:
    for name, actor in world.actors.items():
        rows = Show.objects.filter(membership_condition(actor))
        assert not ("show" in name and rows.exists()), name


def test_organisations_are_listed_with_ones_role_there(world: World) -> None:
    ours, second = world.people.organization.id, world.second.id
    found = {
        name: {o.pk: o.own_role for o in organizations_of(actor)}
        for name, actor in world.actors.items()
    }
    assert found == {name: {} for name in world.actors} | {
        "editor": {ours: "editor", second: "editor"},
        "person": {ours: "editor", second: "editor"},
        "analyst": {ours: "analyst"},
        "organization": {ours: "editor"},
        "admin": {ours: "admin"},
    }


EVERYTHING = {"editor", "person", "organization", "admin"}


@pytest.mark.parametrize("kind", ["uploads", "assets"])
def test_one_shows_token_sees_the_files_that_it_sent_and_no_others(world: World, kind: str) -> None:
    door = get_upload if kind == "uploads" else get_asset
    files = getattr(world, kind)
    for name, actor in world.actors.items():
        seen = {opener for opener, file in files.items() if fares(door, actor, file.id) == 200}
        if name in EVERYTHING:
            assert seen == set(files), name
        elif "show" in name:
            assert seen == {name}, name
        else:
            assert seen == set(), name


def test_a_membership_that_ends_closes_all_doors_to_the_persons_tokens(world: World) -> None:
    actor = world.actors["person, one show"]
    world.people.editor.memberships.all().delete()
    assert fares(get_show, actor, world.show.id) == 404
    assert fares(get_upload, actor, world.uploads["person, one show"].id) == 404
    assert not shows_of_member(actor).exists()


def test_what_a_token_does_is_its_persons_doing_and_an_organisations_nobodys(world: World) -> None:
    authors = {name: person_of(actor) for name, actor in world.actors.items()}
    assert authors["person"] == authors["editor"] == world.people.editor
    assert authors["organization"] is None
    assert authors["anonymous"] is None
    assert world.uploads["person"].created_by == world.people.editor
    assert world.uploads["organization"].created_by is None


def test_each_continues_its_own_uploads_only(world: World) -> None:
    fields: dict[str, Any] = {"filename": "b.mp3", "size_bytes": 7, "fingerprint": "b"}
    names = ["editor", "person", "person, one show", "organization", "admin"]
    first, second = (
        [
            open_upload(organization=world.people.organization, actor=world.actors[name], **fields)
            for name in names
        ]
        for _ in range(2)
    )
    assert [is_new for _, is_new in first] == [True] * len(names)
    assert [(u.id, False) for u, _ in first] == [(u.id, is_new) for u, is_new in second]
    assert len({u.id for u, _ in first}) == len(names)

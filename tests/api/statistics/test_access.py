"""Who reads statistics: members, and programs whose token has the scope for it."""

import pytest

from api.statistics.urls import OF_EPISODES, OF_ORGANIZATIONS, OF_SHOWS
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from tests.api.statistics.conftest import World
from tests.factories import EpisodeFactory
from tests.programs import ask, program, token_of_organization, token_of_person


def addresses(world: World) -> dict[str, list[str]]:
    """Of everything that has figures, by what it is of."""
    show, episode = world.show.pk, world.episodes[0].pk
    compared = f"?episode={episode}"
    return {
        "show": [
            f"/api/v1/shows/{show}/downloads/",
            *(
                world.address("show", chart) + (compared if chart == "compare" else "")
                for chart in OF_SHOWS
            ),
        ],
        "episode": [
            f"/api/v1/episodes/{episode}/downloads/",
            *(world.address("episode", chart) for chart in OF_EPISODES),
        ],
        "organization": [world.address("organization", chart) for chart in OF_ORGANIZATIONS],
    }


@pytest.mark.parametrize(
    ("persona", "expected"),
    [
        ("owner", (200, "")),
        ("analyst", (200, "")),
        ("stranger", (404, "not_found")),
        ("staff", (404, "not_found")),
        ("anonymous", (401, "not_authenticated")),
    ],
)
def test_members_read_all_of_it_and_nobody_else_any(
    world: World, persona: str, expected: tuple[int, str]
) -> None:
    client = world.people.client(persona)
    for found in addresses(world).values():
        for address in found:
            assert ask(client, address) == expected, address


def test_what_is_in_the_trash_has_no_figures(world: World) -> None:
    client = world.people.client("owner")
    world.show.deleted_at = world.show.created_at
    world.show.save()
    found = addresses(world)
    for address in (*found["show"], *found["episode"]):
        assert ask(client, address) == (404, "not_found"), address


ALL = {"show": 200, "episode": 200, "organization": 200}
TOKENS = {
    "a person's": ALL,
    "an organisation's": ALL,
    "a person's for this show": ALL | {"organization": 404},
    "an organisation's for this show": ALL | {"organization": 404},
    "a person's for another show": dict.fromkeys(ALL, 404),
    "an organisation's for another show": dict.fromkeys(ALL, 404),
    "a stranger's": dict.fromkeys(ALL, 404),
    "without the scope": dict.fromkeys(ALL, 403),
}


@pytest.mark.parametrize("name", list(TOKENS))
def test_a_token_needs_the_scope_and_reads_no_more_than_it_was_made_for(
    world: World, name: str
) -> None:
    people, only = world.people, [Scope.STATS]
    other = EpisodeFactory(show__organization=people.organization).show_id
    show = {"this": world.show.pk, "another": other}.get(name.split(" ")[-2])
    if name == "without the scope":
        others = [scope for scope in Scope if scope is not Scope.STATS]
        _, secret = token_of_person(people.owner, others)
    elif name.startswith("an organisation's"):
        _, secret = token_of_organization(people.organization, Role.ANALYST, only, show_id=show)
    else:
        person = people.stranger if name == "a stranger's" else people.analyst
        _, secret = token_of_person(person, only, show_id=show)
    client = program(secret)
    for whose, found in addresses(world).items():
        for address in found:
            status, code = ask(client, address)
            assert status == TOKENS[name][whose], address
            assert code == {403: "insufficient_scope", 404: "not_found", 200: ""}[status]

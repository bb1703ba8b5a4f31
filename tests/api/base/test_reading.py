"""What serializers declare: enough to render, nothing in vain, and nothing that can be left out."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, cast

import pytest
from django.core.exceptions import FieldDoesNotExist, FieldFetchBlocked
from django.db import connection
from django.db.models import Model, Value
from django.test.utils import CaptureQueriesContext

from api.base.reading import Reading, UndeclaredReadError, refusing_queries
from api.base.rows import Plan, RowSerializer, UnknownFieldError
from api.episodes.serializers import EpisodeSerializer
from apps.accounts.models import ApiToken, Invitation, Membership, Organization, User
from apps.accounts.scopes import Scope
from apps.accounts.tokens import create_token
from apps.core.clock import now
from apps.downloads.models import Download
from apps.media.models import Asset, Rendition, Upload
from apps.webhooks.emitting import deliver
from apps.webhooks.endpoints import create_endpoint
from apps.webhooks.event_types import EventType
from apps.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from podcasts.models import Episode, Handle, Show
from tests.downloads.storing import store_download
from tests.factories import (
    EpisodeFactory,
    ImageFactory,
    MembershipFactory,
    RenditionFactory,
    UserFactory,
)


def row_serializers(cls: type[Any] = RowSerializer) -> Iterator[type[RowSerializer[Any]]]:
    """All that the API has."""
    import_module("api.urls")  # which loads every one of them
    for found in cls.__subclasses__():
        yield found
        yield from row_serializers(found)


@pytest.fixture
def episode(db: None) -> Episode:
    """One that has everything an episode can have, twice where it can be many."""
    found: Episode = EpisodeFactory(season_number=2, episode_number=3, artwork=ImageFactory())
    RenditionFactory(asset=found.audio)
    Asset.objects.update(
        upload=Upload.objects.create(
            organization=found.organization, size_bytes=1, part_size_bytes=1, expires_at=now()
        ),
        status="failed",
        error_code="damaged",
        error_message="This file is damaged.",
    )
    return found


def test_a_row_is_rendered_from_what_its_fields_declare(episode: Episode) -> None:
    plan = EpisodeSerializer.plan()
    with CaptureQueriesContext(connection) as queries:
        [document] = plan.render_all(plan.fetch(Episode.objects.all()))
    assert len(queries) == 2  # the episode with what is joined, and its renditions
    assert document["id"] == episode.id
    assert document["show"] == {
        "id": episode.show_id,
        "handle": episode.show.handle,
        "title": episode.show.title,
    }
    assert document["enclosure"]["url"].endswith(f"/media/{episode.id}/{episode.slug}.mp3")
    assert len(document["renditions"]) == 2
    assert document["artwork_url"].endswith("/feed.jpg")


def test_only_the_columns_that_are_wanted_are_fetched(episode: Episode) -> None:
    plan = EpisodeSerializer.plan(frozenset({"title", "show.handle"}))
    with CaptureQueriesContext(connection) as queries:
        documents = plan.render_all(plan.fetch(Episode.objects.all()))
    assert documents == [{"show": {"handle": episode.show.handle}, "title": episode.title}]
    [query] = queries.captured_queries
    assert "notes" not in query["sql"]
    assert "description" not in query["sql"]
    assert "media_" not in query["sql"]


def test_what_leads_nowhere_is_null_and_what_is_many_is_empty(episode: Episode) -> None:
    EpisodeFactory(show=episode.show, audio=None, artwork=None, status="draft", published_at=None)
    plan = EpisodeSerializer.plan(frozenset({"artwork_url", "enclosure", "renditions"}))
    [document] = plan.render_all(plan.fetch(Episode.objects.filter(audio=None)))
    assert document == {"artwork_url": None, "enclosure": None, "renditions": []}


@pytest.mark.parametrize(
    "name", ["nothing", "show.nothing", "title.length", "enclosure.url", "renditions.asset"]
)
def test_a_field_that_there_is_not_is_named(name: str) -> None:
    with pytest.raises(UnknownFieldError, match=rf"^{name}$"):
        EpisodeSerializer.plan(frozenset({"id", name}))


@pytest.mark.parametrize("path", ["nothing", "show__nothing", "audio__renditions__nothing"])
def test_a_path_that_the_model_has_not_is_a_mistake(path: str) -> None:
    with pytest.raises(FieldDoesNotExist):
        Reading.of(Episode, [path])


def test_a_whole_wins_over_its_parts() -> None:
    plan = EpisodeSerializer.plan(frozenset({"show", "show.handle"}))
    assert {"show__id", "show__title", "show__handle"} <= set(plan.reading.paths())


# --- Each declaration is needed: without any one of them, rendering fails -----------------------


def webhook_attempt(episode: Episode) -> WebhookAttempt:
    """One request of one delivery of one event to one endpoint."""
    endpoint, _ = create_endpoint(
        organization=episode.organization,
        created_by=UserFactory(),
        url="https://example.com/",
        events=[EventType.EPISODE_PUBLISHED],
    )
    event = WebhookEvent.objects.create(
        organization=episode.organization, type=EventType.EPISODE_PUBLISHED, data={}
    )
    [delivery] = deliver(event, [endpoint.pk])
    return WebhookAttempt.objects.create(delivery=delivery, number=1)


# A row of each model that has something wherever a serializer may look.
ROWS: dict[type[Model], Callable[[Episode], Model]] = {
    Episode: lambda episode: episode,
    Show: lambda episode: episode.show,
    ApiToken: lambda _: create_token(user=UserFactory(), name="A script", scopes=[Scope.READ])[0],
    Rendition: lambda episode: cast("Rendition", cast("Asset", episode.audio).rendition),
    Handle: lambda episode: episode.show.handles.get(),
    Organization: lambda episode: episode.organization,
    Membership: lambda episode: MembershipFactory(organization=episode.organization),
    User: lambda episode: UserFactory(),
    Download: lambda episode: store_download(episode),
    Invitation: lambda episode: Invitation.objects.create(
        organization=episode.organization,
        role="editor",
        invited_by=UserFactory(),
        expires_at=now(),
    ),
    Asset: lambda episode: cast("Asset", episode.audio),
    Upload: lambda episode: Upload.objects.get(asset=episode.audio),
}
ROWS |= {
    WebhookEndpoint: lambda episode: webhook_attempt(episode).delivery.endpoint,
    WebhookEvent: lambda episode: webhook_attempt(episode).delivery.event,
    WebhookDelivery: lambda episode: webhook_attempt(episode).delivery,
    WebhookAttempt: lambda episode: webhook_attempt(episode),
}
# What the doors add to a model's rows.
ANNOTATED: dict[type[Model], dict[str, Value]] = {Organization: {"own_role": Value("owner")}}


def without(plan: Plan[Any], dropped: str) -> Plan[Any] | None:
    """The plan without what is read at or below a path; None when other reads imply it."""
    paths = list(plan.reading.paths())
    left = [path for path in paths if path != dropped and not path.startswith(f"{dropped}__")]
    reading = Reading.of(plan.reading.model, left)
    return Plan(reading, plan.getters) if set(reading.paths()) != set(paths) else None


def is_key(model: type[Model], path: str) -> bool:
    """Whether a path ends at a primary or foreign key."""
    *relations, name = path.split("__")
    for relation in relations:
        model = cast("Any", model._meta.get_field(relation)).related_model
    field: Any = model._meta.get_field(name)
    return bool(field.primary_key or field.is_relation)


def declarations(serializer: type[RowSerializer[Any]]) -> list[str]:
    """Every column and every relation that is read."""
    paths = list(serializer.plan().reading.paths())
    parts = [path.split("__") for path in paths]
    relations = {"__".join(names[:n]) for names in parts for n in range(1, len(names))}
    return sorted({*paths, *relations})


@pytest.mark.parametrize(
    ("serializer", "dropped"),
    [
        pytest.param(serializer, path, id=f"{serializer.__name__}-{path}")
        for serializer in row_serializers()
        for path in declarations(serializer)
    ],
)
def test_no_declaration_can_be_left_out(
    serializer: type[RowSerializer[Any]], dropped: str, episode: Episode
) -> None:
    plan = serializer.plan()
    row = ROWS[plan.reading.model](episode)
    model = plan.reading.model
    rows = model._default_manager.filter(pk=row.pk).annotate(**ANNOTATED.get(model, {}))
    assert plan.render_all(plan.fetch(rows))
    poorer = without(plan, dropped)
    if poorer is None:
        assert is_key(plan.reading.model, dropped)  # they come with what they lead to
        return
    with pytest.raises((FieldFetchBlocked, UndeclaredReadError)):
        poorer.render_all(poorer.fetch(rows))


def test_the_database_answers_nothing_while_rows_are_rendered(episode: Episode) -> None:
    with refusing_queries(), pytest.raises(UndeclaredReadError, match="rendering: SELECT"):
        list(Episode.objects.all())
    assert list(Episode.objects.all()) == [episode]

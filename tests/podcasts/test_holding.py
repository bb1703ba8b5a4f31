"""What a change holds while a picture is made: nothing, so that others can go on."""

from typing import Any

import pytest

from apps.media.models import Image
from podcasts.models import Episode, Show
from podcasts.services import artwork
from podcasts.services.episodes import create_episode, update_episode
from podcasts.services.shows import update_show
from tests.factories import EpisodeFactory, ImageFactory, ShowFactory
from tests.holding import is_free

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]


def test_nobody_waits_for_a_picture_that_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    episode: Episode = EpisodeFactory(show__is_artwork_generated=True)
    show: Show = episode.show
    made: Image = ImageFactory(organization=show.organization)
    seen: list[bool] = []

    def slow(**of_what: Any) -> Image:
        seen.append(is_free(Show, show.pk) and is_free(Episode, episode.pk))
        return made

    monkeypatch.setattr(artwork, "store_image", slow)
    update_episode(episode=episode, artwork=b"picture")
    create_episode(show=show, created_by=None, title="New", artwork=b"picture")
    show = update_show(show=show, title="Renamed")
    show = update_show(show=show, artwork=b"picture")
    update_show(show=show, is_artwork_removed=True)
    assert seen == [True] * 5
    assert set(Episode.objects.values_list("artwork", flat=True)) == {made.pk}
    assert Show.objects.get().artwork == made


def test_a_cover_says_the_title_that_the_show_has_got_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: Show = ShowFactory(title="Old")
    Show.objects.filter(pk=read.pk).update(title="New")
    drawn: list[str] = []

    def draw(title: str) -> bytes:
        drawn.append(title)
        return b"picture"

    monkeypatch.setattr(artwork, "draw_cover", draw)
    monkeypatch.setattr(artwork, "store_image", lambda **of_what: ImageFactory())
    update_show(show=read, is_artwork_removed=True)
    assert drawn == ["Old", "New"]


def test_a_picture_that_came_meanwhile_is_not_drawn_over(monkeypatch: pytest.MonkeyPatch) -> None:
    read: Show = ShowFactory(title="Old", is_artwork_generated=True)
    uploaded: Image = ImageFactory(organization=read.organization)
    Show.objects.filter(pk=read.pk).update(artwork=uploaded, is_artwork_generated=False)
    monkeypatch.setattr(artwork, "store_image", lambda **of_what: ImageFactory())
    assert update_show(show=read, title="New").artwork == uploaded

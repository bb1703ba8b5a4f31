"""Which episode a path means, and whose episodes a source may count."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError

from apps.core.clock import now
from apps.downloads.logs.audio_versions import Audio, remember_current
from apps.downloads.logs.mapping import Mapping, SkipReason
from apps.downloads.logs.models import AudioVersion, LogSource
from apps.downloads.logs.sources import map_paths, save_source
from apps.media.delivery import cdn_name
from podcasts.models import Episode
from podcasts.previews import preview_url
from tests.downloads.logs.conftest import MemoryCounter, Sweep
from tests.downloads.logs.writing import Said, request, v1_file
from tests.factories import (
    AssetFactory,
    EpisodeFactory,
    OrganizationFactory,
    RenditionFactory,
    ShowFactory,
)

type MakeSource = Callable[..., LogSource]


def rendition_of(episode: Episode) -> Any:
    assert episode.audio is not None
    rendition = episode.audio.rendition
    assert rendition is not None
    return rendition


def meaning(source: LogSource, path: str, **told: Any) -> Audio | SkipReason:
    """What a request for this path is about."""
    mapping = Mapping(source)
    record = request(path, **told).record
    mapping.learn([record])
    return mapping.audio(record)


def episode_of(found: Audio | SkipReason) -> object:
    return found.episode if isinstance(found, Audio) else found


def test_the_stable_address_means_its_episode_whatever_the_name(
    make_source: MakeSource, episode: Episode
) -> None:
    source = make_source()
    for name in ("one.mp3", "anything", "", "two%20words.m4a"):
        assert episode_of(meaning(source, f"/media/{episode.id}/{name}")) == episode.id
    for path in (f"/media/{episode.id}", f"/media/{episode.id}/a/b", "/", "/feeds/a.xml", ""):
        assert meaning(source, path) is SkipReason.OTHER_PATH


def test_a_key_of_the_bucket_means_the_episode_that_has_the_file(
    make_source: MakeSource, episode: Episode
) -> None:
    key = rendition_of(episode).storage_key
    assert episode_of(meaning(make_source(), f"/{key}")) == episode.id
    assert episode_of(meaning(make_source(name="b"), f"/bucket/{key}")) == episode.id
    assert meaning(make_source(name="c"), f"/{key}/x") is SkipReason.OTHER_PATH
    other = key.replace(key[-20:-4], "0" * 16)
    assert meaning(make_source(name="d"), f"/{other}") is SkipReason.UNKNOWN_EPISODE


def test_an_episode_that_is_not_known_is_said_to_be(make_source: MakeSource) -> None:
    path = "/media/018f9f7e-0000-7000-8000-000000000001/a.mp3"
    assert meaning(make_source(), path) is SkipReason.UNKNOWN_EPISODE


def test_the_preview_player_is_not_counted(make_source: MakeSource, episode: Episode) -> None:
    path, _, query = preview_url(episode, rendition_of(episode)).partition("?")
    assert meaning(make_source(), path, query=query) is SkipReason.PREVIEW
    assert episode_of(meaning(make_source(name="b"), path, query="is=preview")) == episode.id


def replace_audio(episode: Episode) -> None:
    episode.audio = AssetFactory(organization=episode.organization)
    episode.save()
    remember_current()


def test_a_replaced_file_is_remembered_for_the_logs_that_come_late(
    make_source: MakeSource, episode: Episode
) -> None:
    source, old = make_source(), rendition_of(episode)
    old_id = old.id
    at_noon = int(now().timestamp() * 1000)
    with time_machine.travel(now() + timedelta(hours=1), tick=False):
        replace_audio(episode)
        new = rendition_of(episode)
        old.delete()  # as the collection of garbage does after a week
        stable = f"/media/{episode.id}/one.mp3"
        before = meaning(source, stable, began_at_ms=at_noon)
        after = meaning(source, stable, began_at_ms=at_noon + 3_600_000)
        by_key = meaning(source, f"/{old.storage_key}")
        # A CDN that reads this server knows versions by their names, at whatever time.
        names = [cdn_name("one", "mp3", one.sha256) for one in (old, new)]
        by_name = [meaning(source, f"/media/{episode.id}/{name}") for name in names]
    found = [one.rendition for one in (before, after, by_key, *by_name) if isinstance(one, Audio)]
    assert found == [old_id, new.id, old_id, old_id, new.id]


def test_the_newest_rendition_of_an_episode_is_the_one_that_is_served(
    make_source: MakeSource, episode: Episode
) -> None:
    assert remember_current() == 0
    second = RenditionFactory(asset=episode.audio, created_at=now() + timedelta(minutes=1))
    assert (remember_current(), remember_current()) == (1, 0)
    assert list(AudioVersion.objects.order_by("id").values_list("rendition_id", flat=True))[1:] == [
        second.id
    ]


def test_a_file_that_several_episodes_have_counts_for_the_one_that_is_public(
    make_source: MakeSource, episode: Episode
) -> None:
    key = rendition_of(episode).storage_key
    draft = EpisodeFactory(audio=episode.audio, show=episode.show, status="draft")
    remember_current()
    assert episode_of(meaning(make_source(), f"/{key}")) == episode.id
    Episode.objects.filter(id=draft.id).update(status="published", published_at=now())
    source = make_source(name="b")
    assert meaning(source, f"/{key}") is SkipReason.AMBIGUOUS
    for one in (episode, draft):  # as a signed address of CloudFront has it
        query = f"for={one.id}&Expires=1&Signature=x"
        assert episode_of(meaning(source, f"/{key}", query=query)) == one.id
    assert meaning(source, f"/{key}", query="for=nobody") is SkipReason.AMBIGUOUS


def test_paths_are_remembered_up_to_a_limit_whoever_chooses_them(
    make_source: MakeSource, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.downloads.logs.mapping._REMEMBERED_CHARACTERS", 1000)
    mapping = Mapping(make_source())
    for number in range(20):
        records = [
            request(f"/{number}/{'x' * 100}").record,
            request(f"/media/{episode.id}/").record,
        ]
        mapping.learn(records)
        assert mapping.audio(records[0]) is SkipReason.OTHER_PATH
        assert episode_of(mapping.audio(records[1])) == episode.id
        assert len(mapping._known) <= 12


def test_a_source_of_an_organisation_counts_for_nobody_else(
    make_source: MakeSource,
    sweep: Sweep,
    counter: MemoryCounter,
    folder: Path,
    episode: Episode,
) -> None:
    stranger = EpisodeFactory()
    remember_current()
    key = rendition_of(stranger).storage_key
    rows = [
        request(f"/media/{episode.id}/a.mp3", 1),
        request(f"/media/{stranger.id}/a.mp3", 2),
        request(f"/{key}", 3),
    ]
    (folder / "log").write_bytes(v1_file(rows))
    swept = sweep(make_source(organization=episode.organization))
    assert {hit.organization for hit in counter.seen} == {episode.organization_id}
    assert swept.read.skipped == {SkipReason.OTHER_ORGANIZATION: 2}


def test_the_same_file_in_two_organisations_counts_for_the_one_whose_source_it_is(
    make_source: MakeSource, episode: Episode
) -> None:
    first = rendition_of(episode)
    asset = AssetFactory(rendition=None)
    RenditionFactory(asset=asset, storage_key=first.storage_key, sha256=first.sha256)
    other: Episode = EpisodeFactory(show__organization=asset.organization, audio=asset)
    remember_current()
    key = f"/{first.storage_key}"
    both: list[Episode] = [episode, other]
    for number, one in enumerate(both):
        source = make_source(name=f"s{number}", organization=one.organization)
        assert episode_of(meaning(source, key)) == one.id
    assert meaning(make_source(name="all"), key) is SkipReason.AMBIGUOUS
    # Naming a stranger's episode leads nowhere else.
    source = make_source(name="s2", organization=episode.organization)
    assert episode_of(meaning(source, key, query=f"for={other.id}")) == episode.id


def test_paths_of_another_host_by_a_table(make_source: MakeSource, episode: Episode) -> None:
    source = make_source(organization=episode.organization)
    stranger = EpisodeFactory()
    table = [
        f"https://old.example.net/audio/1%20one.mp3?x=1,{episode.id}\n",
        f"/audio/2.mp3,{episode.guid}\n",
        f"/audio/3.mp3,{stranger.id}\n",
        "/audio/4.mp3,nothing\n",
        "just a path\n",
        "\n",
    ]
    remember_current()
    assert map_paths(source, table) == map_paths(source, table)
    mapped = map_paths(source, table)
    assert (mapped.paths, mapped.unknown) == (2, (3, 4, 5))
    for path in ("/audio/1%20one.mp3", "/audio/1 one.mp3", "/audio/2.mp3"):
        assert episode_of(meaning(source, path)) == episode.id
    assert meaning(source, "/audio/3.mp3") is SkipReason.OTHER_PATH
    assert meaning(make_source(name="b"), "/audio/2.mp3") is SkipReason.OTHER_PATH


def test_a_table_needs_an_owner(make_source: MakeSource) -> None:
    with pytest.raises(ValidationError, match="belongs to an organisation"):
        map_paths(make_source(), [])


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (r"^/old/(?P<slug>[^/]+)\.mp3$", "/old/one.mp3"),
        (r"^/tracks/(?P<guid>[^/]+)/", "/tracks/tag%3Aold%2C1/file.mp3"),
    ],
)
def test_paths_of_another_host_by_a_pattern(
    make_source: MakeSource, episode: Episode, pattern: str, path: str
) -> None:
    Episode.objects.filter(id=episode.id).update(guid="tag:old,1")
    EpisodeFactory(slug="one", guid="tag:old,1")  # of another show
    remember_current()
    source = make_source(organization=episode.organization, show=episode.show, path_pattern=pattern)
    assert episode_of(meaning(source, path)) == episode.id
    assert meaning(source, "/elsewhere") is SkipReason.OTHER_PATH


def test_a_pattern_cannot_reach_another_organisation(
    make_source: MakeSource, episode: Episode
) -> None:
    stranger = EpisodeFactory()
    remember_current()
    source = make_source(
        organization=episode.organization, path_pattern=r"^/e/(?P<episode>[0-9a-f-]+)"
    )
    assert episode_of(meaning(source, f"/e/{episode.id}")) == episode.id
    assert meaning(source, f"/e/{stranger.id}") is SkipReason.OTHER_ORGANIZATION


@pytest.mark.parametrize("path", ["/a%00b", "/\ud800", "/%ff%fe", "/" + "x" * 5000, "/%"])
def test_odd_paths_mean_nothing(make_source: MakeSource, episode: Episode, path: str) -> None:
    source = make_source(
        organization=episode.organization, show=episode.show, path_pattern="^/(?P<slug>.*)"
    )
    assert meaning(source, path) is SkipReason.OTHER_PATH


WRONG: list[tuple[dict[str, object], str]] = [
    ({"place": "relative/folder"}, "absolute path"),
    ({"place": "s3://"}, "names no bucket"),
    ({"format": "apache"}, "not a valid choice"),
    ({"format": "nginx", "description": "$remote_addr"}, "lacks"),
    ({"description": "date time"}, "lacks"),
    ({"path_pattern": "(?P<episode>.*)"}, "log_source_foreign_paths_need_owner"),
    ({"path_pattern": "(", "organization": True}, "no regular expression"),
    ({"path_pattern": "/(.*)", "organization": True}, "needs a group"),
    ({"path_pattern": "/(?P<slug>.*)", "organization": True}, "name it"),
    ({"show": True, "organization": True}, "another organisation"),
    ({"delete_after_days": 0}, "greater than or equal to 1"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("options", "complaint"), WRONG)
def test_a_source_that_could_not_work_is_refused(
    make_source: MakeSource, options: dict[str, Any], complaint: str
) -> None:
    if options.get("organization"):
        options = options | {"organization": OrganizationFactory()}
    if options.get("show"):
        options = options | {"show": ShowFactory()}
    with pytest.raises(ValidationError, match=complaint):
        make_source(**options)
    assert not LogSource.objects.exists()


def test_what_began_before_the_source_is_passed_over(
    make_source: MakeSource, sweep: Sweep, folder: Path, path: str
) -> None:
    rows = [request(path, number, began_at_ms=_ago(hours)) for number, hours in enumerate([0, 2])]
    (folder / "log").write_bytes(v1_file(rows))
    swept = sweep(make_source(not_before=now() - timedelta(hours=1)))
    assert (swept.read.hits, swept.read.skipped) == (1, {SkipReason.TOO_EARLY: 1})


def test_by_default_a_source_begins_with_the_earliest_day_that_is_open(
    make_source: MakeSource,
) -> None:
    assert f"{make_source().not_before:%Y-%m-%d %H:%M}" == "2026-10-11 00:00"


def _ago(hours: int) -> int:
    return int((now() - timedelta(hours=hours)).timestamp() * 1000)


def test_saving_a_source_again_keeps_its_files(
    make_source: MakeSource, sweep: Sweep, folder: Path, path: str
) -> None:
    source = make_source()
    said: list[Said] = [request(path)]
    (folder / "log").write_bytes(v1_file(said))
    sweep(source)
    save_source(source, is_active=False)
    assert source.files.count() == 1

"""An organisation's uploads as a list, and the files that they have become."""

from typing import Any

import pytest

from apps.accounts.access import membership_condition
from apps.accounts.actors import Actor, TokenActor
from apps.accounts.models import ApiToken
from apps.core.clock import now
from apps.media.access import assets_of_member, uploads_of_member
from apps.media.models import Asset, AssetStatus, Upload
from tests.conftest import People
from tests.factories import AssetFactory, OrganizationFactory, ShowFactory


def upload(people: People, **fields: Any) -> Upload:
    """One of ours."""
    usual = {
        "organization": people.organization,
        "filename": "a.mp3",
        "size_bytes": 25,
        "part_size_bytes": 10,
        "expires_at": now(),
    }
    return Upload.objects.create(**usual | fields)


def listed(people: People, query: str = "") -> list[dict[str, Any]]:
    """What an editor sees."""
    address = f"/api/v1/organizations/{people.organization.pk}/uploads/{query}"
    response = people.client("editor").get(address)
    assert response.status_code == 200, response.content
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_the_list_says_what_became_of_each_upload(people: People) -> None:
    still = upload(people)
    done = upload(people, status="complete", size_bytes=20)
    asset = AssetFactory(organization=people.organization, upload=done)
    upload(people, organization=OrganizationFactory())
    assert [
        (u["id"], u["status"], u["part_count"], u["asset"], "parts" in u) for u in listed(people)
    ] == [
        (str(done.pk), "complete", 2, str(asset.pk), False),
        (str(still.pk), "open", 3, None, False),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?status=open", ["small.mp3"]),
        ("?status=aborted", []),
        ("?search=LARGE", ["large.wav"]),
        ("?ordering=size_bytes", ["small.mp3", "large.wav"]),
        ("?ordering=-size_bytes", ["large.wav", "small.mp3"]),
        ("?ordering=filename", ["large.wav", "small.mp3"]),
    ],
)
def test_the_list_is_filtered_and_ordered(query: str, expected: list[str], people: People) -> None:
    upload(people, filename="small.mp3", size_bytes=1)
    upload(people, filename="large.wav", size_bytes=2**40, status="complete")
    assert [found["filename"] for found in listed(people, query)] == expected


def test_a_file_says_how_far_it_is_and_why_it_failed(people: People) -> None:
    asset = AssetFactory(
        organization=people.organization, status="processing", stage="Checking", progress=40
    )

    def said() -> Any:
        return people.client("editor").get(f"/api/v1/assets/{asset.pk}/").json()

    first = said()
    assert (first["status"], first["stage"], first["progress"]) == ("processing", "Checking", 40)
    assert (first["error"], len(first["renditions"])) == (None, 1)
    assert first["renditions"][0]["size_bytes"] == 29_000_000
    Asset.objects.filter(pk=asset.pk).update(
        status=AssetStatus.FAILED, error_code="interrupted", error_message="Try again."
    )
    assert said()["error"] == {
        "code": "interrupted",
        "message": "Try again.",
        "can_retry": True,
    }


def test_only_editors_see_uploads_and_files(people: People) -> None:
    asset = AssetFactory(organization=people.organization)
    addresses = [
        f"/api/v1/organizations/{people.organization.pk}/uploads/",
        f"/api/v1/assets/{asset.pk}/",
    ]
    expected = {"stranger": 404, "staff": 404, "analyst": 403, "editor": 200, "owner": 200}
    for address in addresses:
        for name, status in expected.items():
            assert people.client(name).get(address).status_code == status, (name, address)


def test_a_token_for_one_show_finds_the_files_that_it_sent_and_no_others(people: People) -> None:
    show = ShowFactory(organization=people.organization)

    def token(**fields: Any) -> ApiToken:
        return ApiToken.objects.create(
            organization=people.organization,
            role="editor",
            scopes=["uploads"],
            secret_sha256=fields.pop("name"),
            **fields,
        )

    limited, whole = token(name="a", show_id=show.pk), token(name="b")
    by_limited, by_person = upload(people, opened_with=limited), upload(people)
    foreign = upload(people, organization=OrganizationFactory())
    for sent in (by_limited, by_person, foreign):
        AssetFactory(organization=sent.organization, upload=sent)
    seen: dict[str, tuple[Actor, set[Any]]] = {
        "limited": (TokenActor(limited), {by_limited.pk}),
        "whole": (TokenActor(whole), {by_limited.pk, by_person.pk}),
        "person": (people.editor, {by_limited.pk, by_person.pk}),
        "stranger": (people.stranger, set()),
    }
    for name, (actor, expected) in seen.items():
        found = uploads_of_member(actor).values_list("pk", flat=True)
        assert set(found) == expected, name
        files = assets_of_member(actor).values_list("upload_id", flat=True)
        assert set(files) == expected, name
    assert not Upload.objects.filter(membership_condition(TokenActor(limited))).exists()


def test_an_upload_that_moved_on_is_not_thrown_away_by_mistake(people: People) -> None:
    kept = upload(people)
    editor, address = people.client("editor"), f"/api/v1/uploads/{kept.pk}/"
    tag = editor.get(address)["ETag"]
    Upload.objects.filter(pk=kept.pk).update(filename="other.mp3")
    refused = editor.delete(address, headers={"If-Match": tag})
    assert (refused.status_code, refused.json()["code"]) == (412, "changed_meanwhile")
    assert Upload.objects.get(pk=kept.pk).status == "open"
    tag = editor.get(address)["ETag"]
    assert editor.delete(address, headers={"If-Match": tag}).status_code == 204
    assert Upload.objects.get(pk=kept.pk).status == "aborted"

"""Setting a bucket up: its rules beside those of others, and telling when strangers can read it."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.stub import Stubber
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from apps.media.storage import Storage, bucket_privacy, bucket_rules, s3
from tests.instance import PROJECT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DOCUMENTS = PROJECT / "deploy" / "s3"
ORIGIN = "https://podcasts.example.com"


def run(*options: str) -> tuple[str, str]:
    output, errors = StringIO(), StringIO()
    call_command("configure_bucket", *options, stdout=output, stderr=errors, no_color=True)
    return output.getvalue(), errors.getvalue()


@pytest.fixture
def _example(settings: LazySettings) -> None:
    settings.S3_BUCKET = "example-media"
    settings.BASE_URL = ORIGIN


@pytest.mark.usefixtures("_example")
@pytest.mark.parametrize("name", ["cors", "lifecycle", "iam-policy"])
def test_the_documents_for_operators_are_what_the_command_prints(name: str) -> None:
    assert run("--print", name)[0] == (DOCUMENTS / f"{name}.json").read_text()


@pytest.mark.usefixtures("_example")
def test_all_documents_are_printed_under_their_names() -> None:
    printed, _ = run("--print")
    names = [f"{name}.json" for name in ("cors", "lifecycle", "iam-policy")]
    assert printed == "".join(f"{name}\n{(DOCUMENTS / name).read_text()}" for name in names)


def test_every_document_is_there_for_a_command_that_knows_it() -> None:
    assert {path.stem for path in DOCUMENTS.iterdir()} == {"cors", "lifecycle", "iam-policy"}


def test_without_a_bucket_there_is_nothing_to_set_up(settings: LazySettings) -> None:
    settings.S3_BUCKET = None
    with pytest.raises(CommandError, match="S3_BUCKET"):
        run()


@pytest.mark.parametrize(
    ("lifetime", "days"),
    [(timedelta(days=7), 8), (timedelta(hours=25), 3), (timedelta(hours=1), 2)],
)
def test_the_bucket_never_ends_an_upload_before_we_do(lifetime: timedelta, days: int) -> None:
    (rule,) = bucket_rules.lifecycle(lifetime)["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": days}


@pytest.mark.parametrize(
    ("rule", "is_dangerous"),
    [
        ({"Filter": {"Prefix": ""}}, True),
        ({"Filter": {}}, True),
        ({"Prefix": ""}, True),
        ({"Filter": {"Prefix": "ren"}}, True),
        ({"Filter": {"Prefix": "renditions/ab"}}, True),
        ({"Filter": {"And": {"Prefix": "images/", "Tags": []}}}, True),
        ({"Filter": {"Prefix": "logs/"}}, False),
        ({"Filter": {"Prefix": "renditions-of-mine/"}}, False),
        ({"Filter": {"Prefix": ""}, "Status": "Disabled"}, False),
        ({"Filter": {"Prefix": ""}, "Expiration": None}, False),
    ],
)
def test_rules_that_would_delete_audio_are_found(rule: dict[str, Any], is_dangerous: bool) -> None:
    rule = {"ID": "x", "Status": "Enabled", "Expiration": {"Days": 30}} | rule
    if rule["Expiration"] is None:
        del rule["Expiration"]
    client = s3.connect()
    with Stubber(client) as service:
        service.add_response("get_bucket_lifecycle_configuration", {"Rules": [rule]})
        assert bucket_rules.expiring_rules(client, "media") == (["x"] if is_dangerous else [])


ON = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def private(service: Stubber, **changed: Callable[[], object]) -> None:
    """What Amazon answers for a private bucket, but for what is changed; in the order of asking."""
    answers: dict[str, Callable[[], object]] = {
        "get_bucket_policy_status": lambda: service.add_client_error(
            "get_bucket_policy_status", "NoSuchBucketPolicy"
        ),
        "get_bucket_acl": lambda: service.add_response("get_bucket_acl", {"Grants": []}),
        "get_public_access_block": lambda: service.add_response(
            "get_public_access_block", {"PublicAccessBlockConfiguration": ON}
        ),
    }
    for add in (answers | changed).values():
        add()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> "S3Client":
    """A client of no service: its answers are scripted, and no stranger is sent anywhere."""
    monkeypatch.setattr(bucket_privacy, "_asked_without_keys", lambda client, bucket: iter(()))
    return s3.connect()


def test_a_private_and_guarded_bucket_is_nothing_to_speak_of(client: "S3Client") -> None:
    with Stubber(client) as service:
        private(service)
        assert bucket_privacy.findings(client, "media") == []
        service.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("call", "answer", "is_public", "words"),
    [
        (
            "get_bucket_policy_status",
            {"PolicyStatus": {"IsPublic": True}},
            True,
            "policy lets everybody in",
        ),
        (
            "get_bucket_acl",
            {
                "Grants": [
                    {
                        "Grantee": {
                            "Type": "Group",
                            "URI": "http://acs.amazonaws.com/groups/global/AllUsers",
                        },
                        "Permission": "READ",
                    }
                ]
            },
            True,
            "READ to AllUsers",
        ),
        (
            "get_public_access_block",
            {"PublicAccessBlockConfiguration": ON | {"BlockPublicPolicy": False}},
            False,
            "turn on BlockPublicPolicy.",
        ),
        (
            "get_public_access_block",
            "NoSuchPublicAccessBlockConfiguration",
            False,
            "turn on BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets",
        ),
    ],
)
def test_what_opens_a_bucket_or_leaves_it_unguarded_is_told(
    client: "S3Client", call: str, answer: dict[str, Any] | str, is_public: bool, words: str
) -> None:
    with Stubber(client) as service:
        if isinstance(answer, str):
            private(service, **{call: lambda: service.add_client_error(call, answer)})
        else:
            private(service, **{call: lambda: service.add_response(call, answer)})
        (finding,) = bucket_privacy.findings(client, "media")
    assert finding.is_public is is_public
    assert words in finding.sentence


@pytest.mark.parametrize("code", ["NotImplemented", "AccessDenied", "MethodNotAllowed"])
def test_a_service_that_cannot_tell_is_no_finding(client: "S3Client", code: str) -> None:
    calls = ("get_bucket_policy_status", "get_bucket_acl", "get_public_access_block")
    with Stubber(client) as service:
        for call in calls:
            service.add_client_error(call, code)
        assert bucket_privacy.findings(client, "media") == []


def test_the_region_that_the_bucket_is_really_in_is_named(
    client: "S3Client", settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.S3_BUCKET, settings.S3_REGION = "media", "us-east-1"
    monkeypatch.setattr(s3, "connect", lambda: client)
    with Stubber(client) as service:
        headers = {"x-amz-bucket-region": "eu-central-1"}
        service.add_response("head_bucket", {"ResponseMetadata": {"HTTPHeaders": headers}})
        with pytest.raises(CommandError, match="S3_REGION=eu-central-1"):
            run()


def test_keys_that_may_not_change_rules_are_explained(
    client: "S3Client", settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.S3_BUCKET = "media"
    monkeypatch.setattr(s3, "connect", lambda: client)
    with Stubber(client) as service:
        service.add_response("head_bucket", {"ResponseMetadata": {"HTTPHeaders": {}}})
        service.add_client_error("get_bucket_cors", "AccessDenied")
        with pytest.raises(CommandError, match="an administrator's"):
            run()


@pytest.fixture
def bucket(s3_store: Storage, settings: LazySettings) -> str:
    """A fresh bucket on a real service."""
    name = f"bucket-{uuid4()}"
    s3.connect().create_bucket(Bucket=name)
    settings.S3_BUCKET = name
    settings.BASE_URL = ORIGIN
    return name


@pytest.mark.s3
def test_rules_are_set_beside_those_of_others_however_often(bucket: str) -> None:
    client = s3.connect()
    theirs = {"ID": "theirs", "AllowedOrigins": ["https://x.example"], "AllowedMethods": ["GET"]}
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [theirs]})  # type: ignore[list-item]
    logs = {
        "ID": "logs",
        "Status": "Enabled",
        "Filter": {"Prefix": "logs/"},
        "Expiration": {"Days": 3},
    }
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={"Rules": [logs]},  # type: ignore[list-item]
    )
    for _ in range(2):
        output, errors = run()
        assert "Strangers can't read the bucket." in output
        assert errors == ""
    cors = client.get_bucket_cors(Bucket=bucket)["CORSRules"]
    lifecycle = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule["ID"] for rule in cors] == ["theirs", "longwave-uploads"]
    assert [rule["ID"] for rule in lifecycle] == ["logs", "longwave-uploads"]
    assert cors[1] == bucket_rules.cors(ORIGIN)["CORSRules"][0]
    assert lifecycle[1]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 8}


@pytest.mark.s3
def test_a_rule_that_deletes_audio_is_warned_of(bucket: str) -> None:
    rule = {
        "ID": "all",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 30},
    }
    s3.connect().put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={"Rules": [rule]},  # type: ignore[list-item]
    )
    assert "The lifecycle rule all deletes files of Longwave" in run()[1]


@pytest.mark.s3
def test_a_bucket_that_strangers_can_read_is_told_and_is_an_error(
    bucket: str, s3_store: Storage
) -> None:
    client = s3.connect()
    client.put_object(Bucket=bucket, Key="renditions/one", Body=b"private")
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [everybody]}
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    errors = StringIO()
    with pytest.raises(CommandError, match="is public"):
        call_command("configure_bucket", stdout=StringIO(), stderr=errors, no_color=True)
    assert "Anybody can read the object renditions/one." in errors.getvalue()
    assert "policy lets everybody in" in errors.getvalue()


@pytest.mark.s3
def test_a_bucket_that_does_not_exist_is_a_sentence(bucket: str, settings: LazySettings) -> None:
    settings.S3_BUCKET = f"missing-{uuid4()}"
    with pytest.raises(CommandError, match="can't be configured"):
        run()

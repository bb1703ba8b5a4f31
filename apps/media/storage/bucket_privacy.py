"""Whether strangers can read a bucket past us: private media must never have a public address."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_EVERYBODY = "http://acs.amazonaws.com/groups/global/"  # AllUsers, AuthenticatedUsers
_SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
# Answers of services and keys that can't tell.
_UNTOLD = {
    "AccessDenied",
    "MethodNotAllowed",
    "NotImplemented",
    "NoSuchBucketPolicy",
    "UnsupportedOperation",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence for the operator."""

    sentence: str
    is_public: bool  # whether strangers can read something now


def findings(client: "S3Client", bucket: str) -> list[Finding]:
    """What makes the bucket public, or leaves it unguarded; as far as the service tells."""
    checks = (_asked_without_keys, _policy, _access_list, _guard)
    return [finding for check in checks for finding in check(client, bucket)]


def _asked_without_keys(client: "S3Client", bucket: str) -> Iterator[Finding]:
    """Any service can be asked this way, whatever it knows of policies."""
    stranger = boto3.session.Session().client(
        "s3",
        endpoint_url=client.meta.endpoint_url,
        region_name=client.meta.region_name,
        config=client.meta.config.merge(Config(signature_version=UNSIGNED)),
    )
    try:
        stranger.list_objects_v2(Bucket=bucket, MaxKeys=1)
        yield Finding("Anybody can list the bucket.", is_public=True)
    except ClientError:
        pass
    for found in client.list_objects_v2(Bucket=bucket, MaxKeys=1).get("Contents", []):
        try:
            stranger.head_object(Bucket=bucket, Key=found["Key"])
            yield Finding(f"Anybody can read the object {found['Key']}.", is_public=True)
        except ClientError:
            pass


def _policy(client: "S3Client", bucket: str) -> Iterator[Finding]:
    try:
        status = client.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]
    except ClientError as error:
        _pass_over(error)
        return
    if status.get("IsPublic"):
        yield Finding("The bucket's policy lets everybody in.", is_public=True)


def _access_list(client: "S3Client", bucket: str) -> Iterator[Finding]:
    try:
        grants = client.get_bucket_acl(Bucket=bucket)["Grants"]
    except ClientError as error:
        _pass_over(error)
        return
    for grant in grants:
        who = grant.get("Grantee", {}).get("URI", "")
        if who.startswith(_EVERYBODY):
            what = f"{grant.get('Permission')} to {who.removeprefix(_EVERYBODY)}"
            yield Finding(f"The bucket's access list gives {what}.", is_public=True)


def _guard(client: "S3Client", bucket: str) -> Iterator[Finding]:
    try:
        answer = client.get_public_access_block(Bucket=bucket)
    except ClientError as error:
        if _code(error) != "NoSuchPublicAccessBlockConfiguration":
            _pass_over(error)
            return
        switches = {}
    else:
        switches = dict(answer["PublicAccessBlockConfiguration"])
    off = [name for name in _SWITCHES if not switches.get(name)]
    if off:
        yield Finding(
            f"Public access is not blocked for good: turn on {', '.join(off)}.", is_public=False
        )


def _pass_over(error: ClientError) -> None:
    if _code(error) not in _UNTOLD:
        raise error


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")

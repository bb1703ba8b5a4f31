"""The rules that a bucket needs: who may upload from a browser, what is cleaned up, who may."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from apps.media.storage.base import CHECKSUM_HEADER
from apps.media.storage.keys import FOLDERS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RULE_ID = "longwave-uploads"
type Document = dict[str, Any]
"""JSON as Amazon's tools take it."""


def cors(origin: str) -> Document:
    """Browsers at our address may send parts to the bucket and read what it answers."""
    rule = {
        "ID": RULE_ID,
        "AllowedOrigins": [origin],
        "AllowedMethods": ["PUT", "GET", "HEAD"],
        "AllowedHeaders": [CHECKSUM_HEADER, "content-type"],
        "ExposeHeaders": ["ETag", CHECKSUM_HEADER],
        "MaxAgeSeconds": 3600,
    }
    return {"CORSRules": [rule]}


def lifecycle(upload_lifetime: timedelta) -> Document:
    """Parts of uploads that our own expiry has missed go a day after it.

    In the whole bucket: a killed worker leaves parts of renditions as well.
    """
    days = -(-upload_lifetime // timedelta(days=1)) + 1
    rule = {
        "ID": RULE_ID,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days},
    }
    return {"Rules": [rule]}


def iam_policy(bucket: str) -> Document:
    """The least that the running installation must be allowed; to set rules up takes more."""
    arn = f"arn:aws:s3:::{bucket}"
    files = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "LongwaveFiles",
                "Effect": "Allow",
                "Action": files,
                "Resource": [f"{arn}/{folder}/*" for folder in FOLDERS],
            },
            {
                # Without it S3 answers 403 for what doesn't exist, not 404.
                "Sid": "LongwaveListing",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": arn,
            },
        ],
    }


def put_cors(client: "S3Client", bucket: str, wanted: Document) -> None:
    """Set our rule beside those that are there already."""
    try:
        present = client.get_bucket_cors(Bucket=bucket)["CORSRules"]
    except ClientError as error:
        _require(error, "NoSuchCORSConfiguration")
        present = []
    rules = _beside(present, wanted["CORSRules"])
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})


def put_lifecycle(client: "S3Client", bucket: str, wanted: Document) -> None:
    """Set our rule beside those that are there already."""
    answer = _lifecycle(client, bucket)
    rules = _beside(answer.get("Rules", []), wanted["Rules"])
    # Written with the rules, and set back to its default when it is left out.
    size = answer.get("TransitionDefaultMinimumObjectSize")
    kept: Document = {"TransitionDefaultMinimumObjectSize": size} if size else {}
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": rules}, **kept
    )


def _lifecycle(client: "S3Client", bucket: str) -> Document:
    try:
        return dict(client.get_bucket_lifecycle_configuration(Bucket=bucket))
    except ClientError as error:
        _require(error, "NoSuchLifecycleConfiguration")
        return {}


def expiring_rules(client: "S3Client", bucket: str) -> list[str]:
    """Names of the rules by which the bucket would delete our files."""
    return [
        rule.get("ID", "without a name")
        for rule in _lifecycle(client, bucket).get("Rules", [])
        if rule["Status"] == "Enabled" and "Expiration" in rule and _touches_ours(rule)
    ]


def _touches_ours(rule: Any) -> bool:
    filtered = rule.get("Filter", {})
    prefix = filtered.get("Prefix", filtered.get("And", {}).get("Prefix", rule.get("Prefix", "")))
    return any(f"{name}/".startswith(prefix) or prefix.startswith(f"{name}/") for name in FOLDERS)


def _beside(present: Any, ours: list[Document]) -> Any:
    return [*(rule for rule in present if rule.get("ID") != RULE_ID), *ours]


def _require(error: ClientError, code: str) -> None:
    if error.response.get("Error", {}).get("Code") != code:
        raise error

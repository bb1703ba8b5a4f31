"""Give the bucket in S3_BUCKET the rules that uploads need, and see whether it is private."""

import json
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.media.storage import bucket_privacy, bucket_rules, s3


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--print",
            nargs="?",
            const="all",
            choices=["all", *_documents()],
            help="print the JSON documents, or the one that is named, and change nothing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.S3_BUCKET:
            raise CommandError("S3_BUCKET names no bucket.")
        documents = _documents()
        if options["print"] == "all":
            for name, document in documents.items():
                self.stdout.write(f"{name}.json\n{json.dumps(document, indent=2)}\n")
        elif options["print"]:
            self.stdout.write(json.dumps(documents[options["print"]], indent=2))
        else:
            self._configure(settings.S3_BUCKET, documents)

    def _configure(self, bucket: str, documents: dict[str, bucket_rules.Document]) -> None:
        try:
            client = s3.connect()
            _require_region(client.head_bucket(Bucket=bucket))
            bucket_rules.put_cors(client, bucket, documents["cors"])
            self.stdout.write(f"Browsers at {_origin()} may upload to {bucket}.")
            bucket_rules.put_lifecycle(client, bucket, documents["lifecycle"])
            self.stdout.write("Uploads that nobody finishes are thrown away.")
            expiring = bucket_rules.expiring_rules(client, bucket)
            findings = bucket_privacy.findings(client, bucket)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(_explained(error)) from error
        for name in expiring:
            self._warn(f"The lifecycle rule {name} deletes files of Longwave after a while.")
        for finding in findings:
            self._warn(finding.sentence)
        if any(finding.is_public for finding in findings):
            raise CommandError(
                f"The bucket {bucket} is public. Drafts and private episodes are not: "
                "make it private before anything is uploaded."
            )
        self.stdout.write("Strangers can't read the bucket.")

    def _warn(self, sentence: str) -> None:
        self.stderr.write(self.style.WARNING(f"Warning: {sentence}"))


def _documents() -> dict[str, bucket_rules.Document]:
    return {
        "cors": bucket_rules.cors(_origin()),
        "lifecycle": bucket_rules.lifecycle(settings.UPLOAD_LIFETIME),
        "iam-policy": bucket_rules.iam_policy(str(settings.S3_BUCKET)),
    }


def _origin() -> str:
    base = urlsplit(settings.BASE_URL)
    return f"{base.scheme}://{base.netloc}"


def _require_region(answer: Any) -> None:
    """A signature for another region is refused, which only browsers and apps would notice."""
    actual = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    if actual and actual != settings.S3_REGION:
        raise CommandError(f"The bucket is in {actual}: set S3_REGION={actual}.")


def _explained(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in {
        "AccessDenied",
        "403",
    }:
        return (
            f"{error}. The keys of the installation need not be allowed this: run the command once "
            "with an administrator's, or apply what --print shows in the service's console."
        )
    return f"The bucket can't be configured: {error}"

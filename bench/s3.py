"""Ranges that Longwave fetches from an S3 server and passes on, against that server itself."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psutil
from botocore.config import Config

from bench import goals, isolation, jobs
from bench.load.job import Kind, Target
from bench.measuring import REQUESTS, Comparison, compare
from bench.place import more_web
from bench.recorded import check_recorded
from bench.scenario import Scene
from bench.servers import Server
from bench.stored import StoredFile
from tests.media.servers import S3Server, s3_server

REGION = "us-east-1"
_SIGNED_SECONDS = 3600


def measure_s3(scene: Scene) -> Iterator[Comparison]:
    """The peer's clients come with addresses that are signed already, as ours never see."""
    yield from _measure(scene, "ranges through us from S3, 32 connections", None)
    if not isolation.is_possible():
        return
    # A bucket is another machine: it takes no CPU from whoever reads it.
    cpu = isolation.a_cpu()
    yield from _measure(scene, "the same, S3 on a CPU of its own", cpu)


def _measure(scene: Scene, what: str, cpu: int | None) -> Iterator[Comparison]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="longwave-s3-"))
        with nullcontext() if cpu is None else isolation.only_on(cpu):
            s3 = stack.enter_context(s3_server(Path(folder)))
        peer = _as_peer(s3)
        if cpu is not None:
            stack.enter_context(isolation.alone(peer.family()))
        signed = _store(s3, scene.seeded.large)
        ours = stack.enter_context(
            more_web(
                scene.instance,
                "Longwave before S3",
                S3_ENDPOINT_URL=s3.endpoint,
                S3_BUCKET=s3.bucket,
                S3_REGION=REGION,
                AWS_ACCESS_KEY_ID=s3.access_key,
                AWS_SECRET_ACCESS_KEY=s3.secret_key,
            )
        )
        targets = jobs.episodes(scene.seeded.large)
        yield compare(
            what,
            REQUESTS,
            (ours, jobs.fast(scene, Kind.RANGES, ours, targets)),
            (peer, jobs.fast(scene, Kind.RANGES, peer, signed)),
            rounds=scene.extent.rounds,
            goal=goals.PROXIED,
        )
        check_recorded(scene, ours)


def _store(s3: S3Server, files: tuple[StoredFile, ...]) -> tuple[Target, ...]:
    """The files in the bucket, at signed addresses."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=s3.endpoint.replace("127.0.0.1", "localhost"),  # signed with that host
        region_name=REGION,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    targets = []
    for file in files:
        with file.path.open("rb") as content:
            client.put_object(
                Bucket=s3.bucket, Key=file.key, Body=content, ContentType="audio/mpeg"
            )
        url = client.generate_presigned_url(
            "get_object",
            Params={"Bucket": s3.bucket, "Key": file.key},
            ExpiresIn=_SIGNED_SECONDS,
        )
        parts = urlsplit(url)
        targets.append(Target(f"{parts.path}?{parts.query}", str(file.path)))
    return tuple(targets)


def _as_peer(s3: S3Server) -> Server:
    port = int(s3.endpoint.rpartition(":")[2])
    children = psutil.Process().children()
    weed = tuple(one for one in children if "weed" in Path(one.cmdline()[0]).name)
    return Server("SeaweedFS", port, weed)

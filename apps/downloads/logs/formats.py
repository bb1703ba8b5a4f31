"""The formats of access logs that can be read, and what a source must tell of its own."""

import re
from dataclasses import dataclass
from typing import Protocol

from django.db.models import TextChoices

from apps.downloads.logs.caddy import CaddyLines
from apps.downloads.logs.cloudfront import CloudFrontLines, UnusableFieldsError
from apps.downloads.logs.nginx import NginxLines, UnusableFormatError
from apps.downloads.logs.records import LogRecord

UNUSABLE = (UnusableFieldsError, UnusableFormatError)
"""What is raised for a log, or a description of it, from which nothing can be counted."""

_SEPARATORS = re.compile(r"[\s,]+")


class LogFormat(TextChoices):
    """Who writes the log."""

    CLOUDFRONT = "cloudfront", "CloudFront"
    NGINX = "nginx", "nginx"
    CADDY = "caddy", "Caddy"


class LineParser(Protocol):
    """Makes records of lines, one after the other."""

    header: str
    """What has to be known of lines before, to go on in the middle of a file."""

    def parse(self, line: bytes) -> LogRecord | None:
        """The record of a line without its end; None for a comment. Raises BadLineError."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a log are to be read.

    ``description`` is nginx's log_format, or the names of CloudFront's fields where the log
    itself doesn't tell them; ``delimiter`` stands between CloudFront's values, "" for a tab.
    """

    format: LogFormat
    description: str = ""
    delimiter: str = ""

    def lines(self, header: str = "") -> LineParser:
        """A parser that goes on after ``header``; raises one of UNUSABLE."""
        match self.format:
            case LogFormat.NGINX:
                return NginxLines(self.description)
            case LogFormat.CADDY:
                return CaddyLines()
        fields = [name for name in _SEPARATORS.split(self.description) if name]
        return CloudFrontLines(fields=fields, delimiter=self.delimiter or "\t", header=header)

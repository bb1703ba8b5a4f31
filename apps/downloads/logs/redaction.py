"""A line of a log, made fit to be kept: without anything that could be an address."""

import re

_KEPT_CHARACTERS = 160
# Also as URLs and nginx's escapes write the colons.
_COLON = r"(?::|%3[Aa]|\\x3[Aa])"
_LIKE_IPV6 = re.compile(rf"[0-9A-Fa-f]*(?:{_COLON}[0-9A-Fa-f.]*){{2,}}")
_DIGIT = re.compile(r"[0-9]")


def without_addresses(line: bytes) -> str:
    """The beginning of a line with every digit and everything like an IPv6 address masked.

    It shows the shape of the line, which is what somebody wants who asks why it wasn't read.
    """
    text = line[: 4 * _KEPT_CHARACTERS].decode("utf-8", "replace").replace("\x00", "\ufffd")
    return _DIGIT.sub("0", _LIKE_IPV6.sub("…", text))[:_KEPT_CHARACTERS]

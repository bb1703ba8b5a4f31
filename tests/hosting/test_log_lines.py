"""A client can't write lines of its own into a log."""

import io
import logging
import sys

import pytest

from hosting.log_lines import LineFormatter


def written(message: str, *args: object, has_traceback: bool = False) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter("%(levelname)s %(message)s"))
    trace = sys.exc_info() if has_traceback else None
    handler.emit(logging.LogRecord("x", logging.ERROR, "x", 1, message, args, trace))
    return stream.getvalue()


@pytest.mark.parametrize("ending", ["\n", "\r", "\x85", "\u2028", "\x1b[2K"])
def test_what_a_client_sends_stays_on_its_line(ending: str) -> None:
    text = written("Internal error: GET %s", f"/feeds/a{ending}CRITICAL forged")
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text
    assert "CRITICAL forged" in text


def test_other_text_and_tracebacks_stay_as_they_are() -> None:
    try:
        raise ValueError("inside")
    except ValueError:
        text = written("Größe\t%s", 7, has_traceback=True)
    assert text.startswith("ERROR Größe\t7\nTraceback")
    assert text.endswith("ValueError: inside\n")

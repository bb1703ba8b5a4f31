"""The examples of the document: answers as they are given, and true to their schemas.

``LONGWAVE_RECORD_EXAMPLES=1 pytest tests/api/document`` writes them anew.
"""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from api.document import examples
from api.document.examples import RECORDED
from apps.core import openapi
from tests.api.document.recording import operations, record
from tests.api.document.scene import MOMENT, make_scene

type Schema = dict[str, Any]

FORMATS = FormatChecker()


@FORMATS.checks("uri")
def is_uri(value: object) -> bool:
    """As far as examples go: an empty text is none."""
    return not isinstance(value, str) or "://" in value


@pytest.fixture
def fresh(db: None, clean_valkey: None) -> Iterator[dict[str, Schema]]:
    """What every operation answers now."""
    # Rows that have one time stand in lists by their ids, of which a part is random.
    with time_machine.travel(MOMENT - timedelta(minutes=1), tick=True):
        scene = make_scene()
    with time_machine.travel(MOMENT, tick=False):
        yield record(openapi.document(), scene)


def shape(value: Any) -> Any:
    """Names and kinds of values, without the values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def test_the_examples_are_what_is_answered(fresh: dict[str, Schema]) -> None:
    if os.environ.get("LONGWAVE_RECORD_EXAMPLES"):
        RECORDED.write_text(json.dumps(fresh, indent=1, ensure_ascii=False) + "\n")
        examples.recorded.cache_clear()
        openapi.document.cache_clear()
    recorded = json.loads(RECORDED.read_text())
    assert set(recorded) == set(fresh), "record them anew: see this module's first lines"
    for name, example in fresh.items():
        assert shape(example) == shape(recorded[name]), name


def contents() -> Iterator[tuple[str, str, Schema]]:
    """Every body of the document: whose it is, its media type, and what is said of it."""
    for _, _, operation in operations(openapi.document()):
        name = operation["operationId"]
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} request", kind, content
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items():
                if status < "300":
                    yield f"{name} {status}", kind, content


def test_every_body_has_an_example() -> None:
    bare = [
        who
        for who, kind, content in contents()
        if kind == "application/json" and "example" not in content and "get_schema" not in who
    ]
    # Two statuses of one operation share their body.
    assert bare == ["open_upload 200"]


def test_every_example_is_true_to_its_schema() -> None:
    document = openapi.document()
    registry: Any = Registry().with_resource("urn:d", DRAFT202012.create_resource(document))
    checked = 0
    for who, _, content in contents():
        if "example" not in content:
            continue
        schema = json.loads(
            json.dumps(content["schema"]).replace('"#/components', '"urn:d#/components')
        )
        validator = Draft202012Validator(schema, registry=registry, format_checker=FORMATS)
        errors = [error.message for error in validator.iter_errors(content["example"])]
        assert errors == [], who
        checked += 1
    assert checked > 90

"""Examples of the document: real answers, recorded by ``tests/api/document/test_examples.py``."""

import json
from functools import cache
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("examples.json")

type Schema = dict[str, Any]


@cache
def recorded() -> dict[str, Schema]:
    """By the operation's name: what ``path`` was asked, its ``request``, ``status``, ``answer``."""
    found: dict[str, Schema] = json.loads(RECORDED.read_text())
    return found


def add_examples(document: Schema) -> None:
    """To each operation of which something was recorded."""
    for methods in document["paths"].values():
        for operation in methods.values():
            example = recorded().get(operation["operationId"])
            if example is not None:
                _add(operation, example)


def _add(operation: Schema, example: Schema) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"] in example["path"]:
            parameter["example"] = example["path"][parameter["name"]]
    if "request" in example:
        content = operation["requestBody"]["content"]["application/json"]
        content.setdefault("example", example["request"])
    if "answer" in example:
        answer = operation["responses"][str(example["status"])]
        answer["content"]["application/json"].setdefault("example", example["answer"])

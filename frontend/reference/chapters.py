"""The document in chapters, each operation with all that somebody needs who calls it."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.safestring import SafeString

from apps.core import openapi
from frontend.reference.curl import curl_line
from frontend.reference.fields import Field, Fields
from frontend.reference.words import inline, to_html

type Schema = dict[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_PARAMETER = re.compile(r"({\w+})")
_PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent or answered, as one media type."""

    kind: str
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One status of an operation."""

    status: str
    about: SafeString
    bodies: tuple[Body, ...]

    @property
    def is_refusal(self) -> bool:
        """Whether its body is a problem, as all refusals' bodies are."""
        return self.status >= "400"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be done."""

    name: str
    method: str
    path: str
    summary: str
    about: SafeString
    who: str
    scopes: tuple[str, ...]
    needs_session: bool
    is_open: bool
    parameters: tuple[Field, ...]
    headers: tuple[Field, ...]
    path_fields: tuple[Field, ...]
    requests: tuple[Body, ...]
    answers: tuple[Answer, ...]
    refusals: tuple[Answer, ...]
    curl: str

    @property
    def path_parts(self) -> list[tuple[str, bool]]:
        """The address in pieces, each with whether it stands for something."""
        return [(part, part.startswith("{")) for part in _PARAMETER.split(self.path) if part]


@dataclass(frozen=True, slots=True)
class Chapter:
    """All operations of a kind of thing."""

    slug: str
    title: str
    about: SafeString
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """All of it."""

    title: str
    about: SafeString
    server: str
    chapters: tuple[Chapter, ...]
    problems: tuple[Answer, ...]
    webhooks: tuple[Operation, ...]

    def chapter(self, slug: str) -> Chapter | None:
        """The chapter of this name."""
        return next((one for one in self.chapters if one.slug == slug), None)


@cache
def reference() -> Reference:
    """Made once in each process, like the document itself."""
    return _Reader(openapi.document()).read()


class _Reader:
    def __init__(self, document: Schema) -> None:
        self._document = document
        self._fields = Fields(document)
        self._server: str = document["servers"][0]["url"]
        self._words: dict[str, str] = document["x-roles"]

    def read(self) -> Reference:
        document = self._document
        found: dict[str, list[Operation]] = {}
        for path, methods in document["paths"].items():
            for method in _METHODS:
                if method in methods:
                    chapter = found.setdefault(methods[method]["tags"][0], [])
                    chapter.append(self._operation(path, method, methods[method]))
        webhooks = [
            self._operation(name, "post", methods["post"])
            for name, methods in document.get("webhooks", {}).items()
        ]
        responses = document["components"]["responses"]
        problems = {
            status: answer
            for answer in responses.values()
            if (status := answer.get("x-status")) is not None
        }
        return Reference(
            title=document["info"]["title"],
            about=to_html(document["info"]["description"]),
            server=self._server,
            chapters=tuple(
                Chapter(
                    tag["name"],
                    tag["x-displayName"],
                    to_html(tag["description"]),
                    tuple(found.get(tag["name"], ())),
                )
                for tag in document["tags"]
                if tag["name"] in found
            ),
            problems=tuple(self._answer(status, one) for status, one in sorted(problems.items())),
            webhooks=tuple(webhooks),
        )

    def _operation(self, path: str, method: str, found: Schema) -> Operation:
        security = found.get("security", [])
        ways = {way: scopes for one in security for way, scopes in one.items()}
        answers = [self._answer(status, one) for status, one in found["responses"].items()]
        return Operation(
            name=found["operationId"],
            method=method.upper(),
            path=path,
            summary=found["summary"],
            about=to_html(found["description"]),
            who=self._words.get(found.get("x-role", ""), ""),
            scopes=tuple(ways.get("token", ())),
            needs_session=list(ways) == ["session"],
            is_open=not ways,
            parameters=self._parameters(found, "query"),
            headers=self._parameters(found, "header"),
            path_fields=self._parameters(found, "path"),
            requests=self._bodies(found.get("requestBody", {})),
            answers=tuple(one for one in answers if not one.is_refusal),
            refusals=tuple(one for one in answers if one.is_refusal),
            curl=curl_line(self._server, path, method, found) if path.startswith("/") else "",
        )

    def _parameters(self, found: Schema, where: str) -> tuple[Field, ...]:
        return tuple(
            self._fields.one(
                one["name"],
                one["schema"] | {"description": one.get("description", "")},
                is_required=one.get("required", False),
            )
            for one in found.get("parameters", [])
            if one["in"] == where
        )

    def _answer(self, status: str, found: Schema) -> Answer:
        if "$ref" in found:
            found = self._document["components"]["responses"][found["$ref"].rpartition("/")[2]]
        about = found.get("description") or "As asked for."
        return Answer(status, inline(about), self._bodies(found))

    def _bodies(self, found: Schema) -> tuple[Body, ...]:
        return tuple(
            Body(kind, self._fields.of(content.get("schema", {})), _example(content))
            for kind, content in found.get("content", {}).items()
            if kind != _PROBLEM and "sparse" not in kind
        )


def _example(content: Schema) -> str:
    if "example" not in content:
        return ""
    example = content["example"]
    is_text = isinstance(example, str)
    return example if is_text else json.dumps(example, indent=2, ensure_ascii=False)

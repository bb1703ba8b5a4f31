"""What every operation of the OpenAPI document has in common: errors, headers, tags, limits."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import append_meta
from rest_framework.permissions import SAFE_METHODS, AllowAny

from api.base.idempotency import LONGEST_KEY
from api.base.problems import CONTENT_TYPE as PROBLEM_TYPE
from api.base.views import SPARSE_TYPE, ListView, RowsView, RowView
from api.document.about import SESSION, TOKEN
from api.document.naming import operation_id
from api.document.tags import tag_of
from apps.accounts.scopes import Scope

type Schema = dict[str, Any]

_BODIES = ("POST", "PUT", "PATCH")
_ERRORS = {
    "400": ("BadRequest", "A value in the body or behind the question mark can’t be accepted."),
    "401": ("Unauthorized", "Nobody is signed in, or the token is not (or no more) valid."),
    "403": ("Forbidden", "The role is too weak, or the token lacks the scope."),
    "404": ("NotFound", "There is nothing here, or nothing that you may see."),
    "406": ("NotAcceptable", "None of the media types that were asked for is possible."),
    "409": ("Conflict", "This is not possible in the state that things are in; `code` says why."),
    "412": ("PreconditionFailed", "It has changed since you read it: `If-Match` does not hold."),
    "413": ("ContentTooLarge", "The body is larger than what is taken in with one request."),
    "415": ("UnsupportedMediaType", "The body is of a media type that can’t be read here."),
    "422": ("KeyReused", "The `Idempotency-Key` was used for another request."),
    "429": ("TooManyRequests", "You ask too often; `Retry-After` says for how long to wait."),
}
_LIMITS = {
    "RateLimit": "What is left, and in how many seconds all of it is there again.",
    "RateLimit-Policy": "How many requests may be made in how many seconds.",
}


def _header(description: str) -> Schema:
    return {"description": description, "schema": {"type": "string"}}


def _problem(name: str, status: str, description: str) -> Schema:
    headers = {name: _header(text) for name, text in _LIMITS.items()}
    if status == "429":
        headers["Retry-After"] = {
            "description": "Seconds.",
            "schema": {"type": "integer", "minimum": 1},
        }
    return {
        "description": description,
        "headers": headers,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


COMPONENTS: Schema = {
    "schemas": {
        "Problem": {
            "type": "object",
            "description": "Why a request was refused (RFC 9457).",
            "required": ["type", "title", "status", "detail", "code"],
            "properties": {
                "type": {"type": "string", "description": "`about:blank`, or a URN of the code."},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string", "description": "A sentence for a person."},
                "code": {"type": "string", "description": "For programs; it does not change."},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["code", "detail"],
                        "properties": {
                            "pointer": {
                                "type": "string",
                                "description": "JSON pointer (RFC 6901) into the body.",
                            },
                            "parameter": {
                                "type": "string",
                                "description": "A name behind the question mark.",
                            },
                            "code": {"type": "string"},
                            "detail": {"type": "string"},
                        },
                    },
                },
            },
            "example": {
                "type": "urn:longwave:problem:invalid",
                "title": "Bad Request",
                "status": 400,
                "detail": "This field may not be blank.",
                "code": "invalid",
                "errors": [
                    {
                        "pointer": "#/title",
                        "code": "blank",
                        "detail": "This field may not be blank.",
                    }
                ],
            },
        }
    },
    "responses": {
        name: _problem(name, status, description) for status, (name, description) in _ERRORS.items()
    },
}


class AutoSchema(SpectacularSchema):
    """Adds what the views' base classes do to what drf-spectacular finds out by itself."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Schema | None:
        """One operation."""
        operation: Schema | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            self._add_parameters(operation)
            self._add_answers(operation)
        return operation

    def _is_list_view(self, serializer: Any = None) -> bool:
        """What our lists are derived from tells; elsewhere drf-spectacular guesses."""
        if isinstance(self.view, RowsView):
            return isinstance(self.view, ListView) and self.method == "GET"
        return bool(super()._is_list_view(serializer))

    def get_tags(self) -> list[str]:
        """The chapter that the address belongs to."""
        return [tag_of(self.path)]

    def get_operation_id(self) -> str:
        """Unless the view names it."""
        is_list = isinstance(self.view, ListView)
        return operation_id(self.path, str(self.method), is_list=is_list)

    def get_auth(self) -> list[Schema]:
        """A token with the scope that the view wants, or a session; nothing where anybody may."""
        if any(type(found) is AllowAny for found in self.view.get_permissions()):
            return [{}]
        name = "read_scope" if self.method in SAFE_METHODS else "write_scope"
        scope: Scope | None = getattr(self.view, name, None)
        return [{TOKEN: [scope.value] if scope else []}, {SESSION: []}]

    def get_summary(self) -> str | None:
        """The first sentence of the method's own words."""
        words = super().get_summary() or (self.get_description() or "").split("\n\n")[0]
        return words.split(". ")[0].removesuffix(".").replace("``", "") or None

    def _add_parameters(self, operation: Schema) -> None:
        found = operation.setdefault("parameters", [])
        view = self.view
        if self.method == "GET" and isinstance(view, RowsView):
            names = sorted(view.serializer_class.names())
            example = ",".join(["id", *(name for name in names if name != "id")][:3])
            text = f"Which fields are wanted, by commas. Of: {', '.join(names)}."
            found.append(_parameter("query", "fields", text, example))
        if self.method == "GET":
            found.append(_parameter("header", "If-None-Match", "The tag of what you have."))
        if self.method == "POST":
            text = "Makes repeating the request safe, for 24 hours."
            key = _parameter("header", "Idempotency-Key", text)
            key["schema"] |= {"minLength": 1, "maxLength": LONGEST_KEY}
            found.append(key)
        if self.method != "GET" and isinstance(view, RowView):
            text = "Refuse the change unless this is still the tag of what is stored."
            found.append(_parameter("header", "If-Match", text))

    def _add_answers(self, operation: Schema) -> None:
        responses = operation["responses"]
        for status, answer in responses.items():
            if status.startswith("2") and "$ref" not in answer:
                self._add_to_success(answer)
        if self.method == "GET":
            responses["304"] = {"description": "What you have is what is there."}
        for status in self._errors(operation):
            name, _ = _ERRORS[status]
            responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})
        operation["responses"] = dict(sorted(responses.items()))

    def _add_to_success(self, answer: Schema) -> None:
        headers = answer.setdefault("headers", {})
        for name, text in _LIMITS.items():
            headers.setdefault(name, _header(text))
        if self.method == "GET" or isinstance(self.view, RowView):
            headers.setdefault("ETag", _header("The tag of this answer."))
        content = answer.get("content", {})
        if self.method == "GET" and isinstance(self.view, RowsView) and content:
            content[SPARSE_TYPE] = {
                "schema": {
                    "type": "object",
                    "description": "With `fields`: the same, of which only these are there.",
                    "additionalProperties": True,
                }
            }

    def _errors(self, operation: Schema) -> list[str]:
        statuses = ["400", "401", "403", "406", "429"]
        if any(found["in"] == "path" for found in operation["parameters"]):
            statuses.append("404")
        if self.method in _BODIES:
            statuses += ["404", "409", "413", "415"]
        if self.method == "DELETE":
            statuses.append("409")
        if self.method == "POST":
            statuses.append("422")
        if self.method != "GET" and isinstance(self.view, RowView):
            statuses.append("412")
        return statuses


def _parameter(where: str, name: str, description: str, example: str | None = None) -> Schema:
    found: Schema = {
        "in": where,
        "name": name,
        "description": description,
        "schema": {"type": "string"},
    }
    return found | ({"example": example} if example else {})


class ComputedSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A computed value is described as what it puts out."""

    target_class = "api.base.rows.Computed"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        """That of the output, with its words."""
        output = self.target.output
        mapped = auto_schema._map_serializer_field(output, direction)
        return append_meta(mapped, auto_schema._get_serializer_field_meta(output, direction))

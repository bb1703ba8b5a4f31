"""What every operation of the OpenAPI document has in common: errors, headers, tags, limits."""

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, AllowAny

from api.base.idempotency import LONGEST_KEY
from api.base.problems import CONTENT_TYPE as PROBLEM_TYPE
from api.base.rows import RowSerializer
from api.base.views import SPARSE_TYPE, ListView, RowsView
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


# What an empty text is none of.
_NEVER_BLANK = ("uri", "email")


def _may_be_blank(field: Any) -> bool:
    """Of a model's column that is only read: DRF forgets that it may hold an empty text."""
    if not (field.read_only and isinstance(field.parent, serializers.ModelSerializer)):
        return False
    if not isinstance(field, (serializers.CharField, serializers.ChoiceField)):
        return False
    try:
        model: Any = field.parent.Meta.model
        column = model._meta.get_field(field.source)
    except FieldDoesNotExist:
        return False
    return bool(getattr(column, "blank", False))


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
        "x-status": status,
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

    def _map_serializer_field(
        self, field: Any, direction: Any, bypass_extensions: bool = False
    ) -> Any:
        """Besides: what may be left blank, and lists that may not be empty."""
        if _may_be_blank(field):
            field.allow_blank = True
        inner: Any = super()
        mapped = inner._map_serializer_field(field, direction, bypass_extensions)
        if mapped is None:
            return None
        if getattr(field, "allow_blank", False) and mapped.get("format") in _NEVER_BLANK:
            del mapped["format"]
        if getattr(field, "allow_empty", True) is False and mapped.get("type") == "array":
            mapped.setdefault("minItems", 1)
        return mapped

    def _is_list_view(self, serializer: Any = None) -> bool:
        """What our lists have tells; elsewhere drf-spectacular guesses."""
        if isinstance(self.view, RowsView):
            return isinstance(self.view, ListView) and self.method == "GET"
        if getattr(self.view, "pagination_class", None) is not None:
            return self.method == "GET"
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
        if serializer := self._chosen_from():
            found.append(fields_parameter(serializer))
        if self.method == "GET":
            found.append(_parameter("header", "If-None-Match", "The tag of what you have."))
        if self._is_kept():
            text = "Makes repeating the request safe, for 24 hours."
            key = _parameter("header", "Idempotency-Key", text)
            key["schema"] |= {"minLength": 1, "maxLength": LONGEST_KEY}
            found.append(key)
        if self._honours_if_match():
            text = "Refuse the change unless this is still the tag of what is stored."
            found.append(_parameter("header", "If-Match", text))

    def _add_answers(self, operation: Schema) -> None:
        responses = operation["responses"]
        for status, answer in responses.items():
            if status.startswith("2") and "$ref" not in answer:
                self._add_to_success(status, answer)
        if self.method == "GET":
            responses["304"] = {"description": "What you have is what is there."}
        for status in self._errors(operation):
            name, _ = _ERRORS[status]
            responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})
        operation["responses"] = dict(sorted(responses.items()))

    def _add_to_success(self, status: str, answer: Schema) -> None:
        headers = answer.setdefault("headers", {})
        for name, text in _LIMITS.items():
            headers.setdefault(name, _header(text))
        content = answer.get("content", {})
        if content and (self.method == "GET" or isinstance(self.view, RowsView)):
            headers.setdefault("ETag", _header("The tag of what is stored now."))
        if status == "201":
            headers.setdefault("Location", _header("The address of what was made."))
        if content and self._chosen_from():
            content[SPARSE_TYPE] = {
                "schema": {
                    "type": "object",
                    "description": "With `fields`: the same, of which only these are there.",
                    "additionalProperties": True,
                }
            }

    def _errors(self, operation: Schema) -> list[str]:
        statuses = ["400", "401", "403", "406", "429"]
        if "{" in self.path or "/platform/" in self.path:
            statuses.append("404")
        if self.method in _BODIES:
            statuses += ["404", "409", "413", "415"]
        if self.method == "DELETE":
            statuses.append("409")
        if self._is_kept():
            statuses.append("422")
        if self._honours_if_match():
            statuses.append("412")
        return statuses

    def _chosen_from(self) -> type[RowSerializer[Any]] | None:
        """Whose fields ``?fields=`` chooses from, where it is taken."""
        serializer = getattr(self.view, "serializer_class", None)
        is_of_rows = isinstance(serializer, type) and issubclass(serializer, RowSerializer)
        return serializer if self.method == "GET" and is_of_rows else None

    def _is_kept(self) -> bool:
        return self.method == "POST" and bool(getattr(self.view, "keeps_answers", False))

    def _honours_if_match(self) -> bool:
        return self.method != "GET" and bool(getattr(self.view, "honours_if_match", False))


def fields_parameter(serializer: type[RowSerializer[Any]]) -> Schema:
    """``?fields=``, with all names that there are."""
    text = "Which fields are wanted, separated by commas; all of them unless given."
    names = {"type": "string", "enum": list(serializer.names())}
    found = _parameter("query", "fields", text)
    return found | {"schema": {"type": "array", "items": names, "minItems": 1}, "explode": False}


def _parameter(where: str, name: str, description: str) -> Schema:
    return {
        "in": where,
        "name": name,
        "description": description,
        "schema": {"type": "string"},
    }


class ComputedSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A computed value is described as what it puts out."""

    target_class = "api.base.rows.Computed"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        """That of the output, its words and whether it may be null included."""
        return auto_schema._map_serializer_field(self.target.output, direction)

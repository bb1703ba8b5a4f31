"""What bodies are made of: JSON schemas as trees of fields for people to read."""

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from frontend.reference.words import to_html

type Schema = dict[str, Any]

# Deeper than this nothing is nested, unless something contains itself.
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a body, or of an address; ``inner`` are those of an object, or of each item."""

    name: str
    kind: str
    about: SafeString
    is_required: bool
    choices: tuple[str, ...]
    default: str
    limits: str
    inner: "tuple[Field, ...]"


class Fields:
    """Resolves what a document's schemas refer to."""

    def __init__(self, document: Schema) -> None:
        self._components: Schema = document["components"]["schemas"]

    def of(self, schema: Schema, depth: int = 0) -> tuple[Field, ...]:
        """An object's fields, or those of a list's items; none of anything simpler."""
        found, _ = self._plain(schema)
        if found.get("type") == "array" or "items" in found:
            return self.of(found["items"], depth)
        required = set(found.get("required", []))
        if depth > _DEEPEST:
            return ()
        return tuple(
            self.one(name, inner, is_required=name in required, depth=depth + 1)
            for name, inner in found.get("properties", {}).items()
        )

    def one(self, name: str, schema: Schema, *, is_required: bool, depth: int = 0) -> Field:
        """A value with what may stand in it."""
        found, is_nullable = self._plain(schema)
        choices, item = found.get("enum", []), self._item(found)
        default = schema.get("default", found.get("default"))
        return Field(
            name=name,
            kind=self.kind(schema) + (" or null" if is_nullable else ""),
            about=to_html(schema.get("description") or found.get("description", "")),
            is_required=is_required,
            choices=tuple(str(one) for one in choices or item.get("enum", []) if one is not None),
            default="" if default is None else str(default),
            limits=_limits(found),
            inner=self.of(schema, depth),
        )

    def kind(self, schema: Schema) -> str:
        """``text``, ``list of texts``, ``date and time``…"""
        found, _ = self._plain(schema)
        if "items" in found:
            return f"list of {_PLURALS.get(inner := self.kind(found['items']), inner)}"
        kind = _type_of(found)
        return _KINDS.get((kind, found.get("format", "")), _KINDS.get((kind, ""), kind))

    def _item(self, found: Schema) -> Schema:
        return self._plain(found["items"])[0] if "items" in found else {}

    def _plain(self, schema: Schema) -> tuple[Schema, bool]:
        """Without references and alternatives, and whether it may be null."""
        found, is_nullable = schema, False
        while True:
            if "$ref" in found:
                found = self._components[found["$ref"].rpartition("/")[2]]
            elif len(found.get("allOf", [])) == 1:
                found = found["allOf"][0]
            elif several := found.get("oneOf") or found.get("anyOf"):
                real = [one for one in several if one.get("type") != "null"]
                is_nullable = is_nullable or len(real) < len(several)
                found = real[0]
            else:
                kinds = found.get("type")
                is_null = isinstance(kinds, list) and "null" in kinds
                return found, is_nullable or is_null or None in found.get("enum", [])


def _type_of(found: Schema) -> str:
    kinds = found.get("type", "object" if "properties" in found else "string")
    several = kinds if isinstance(kinds, list) else [kinds]
    return next(str(kind) for kind in several if kind != "null")


_KINDS = {
    ("string", ""): "text",
    ("string", "uuid"): "id",
    ("string", "uri"): "address",
    ("string", "email"): "mail address",
    ("string", "date"): "date",
    ("string", "date-time"): "date and time",
    ("string", "binary"): "file",
    ("integer", ""): "whole number",
    ("number", ""): "number",
    ("boolean", ""): "true or false",
    ("object", ""): "object",
}
_PLURALS = {
    "text": "texts",
    "id": "ids",
    "object": "objects",
    "whole number": "whole numbers",
    "address": "addresses",
}
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "to {}",
    "minItems": "at least {}",
    "maxItems": "at most {}",
}


def _limits(found: Schema) -> str:
    """What is worth telling of a value's bounds."""
    told = [text.format(found[name]) for name, text in _LIMITS.items() if found.get(name)]
    return ", ".join(told)

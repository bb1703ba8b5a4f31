"""The API's OpenAPI document, made once in each process: it depends on code and settings only."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


@cache
def document() -> dict[str, Any]:
    """All operations, whoever may ask for them; takes a second or two the first time."""
    generator: Any = SchemaGenerator
    found: dict[str, Any] = generator().get_schema(request=None, public=True)
    return found

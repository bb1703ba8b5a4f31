"""What may stand behind the question mark: names that are known, and which fields are wanted."""

from collections.abc import Iterable
from typing import Any

from rest_framework.request import Request

from api.base.problems import ProblemError
from api.base.rows import RowSerializer, UnknownFieldError


class ParameterError(ProblemError):
    """A value in the address that can't be accepted."""

    def __init__(self, parameter: str, code: str, detail: str) -> None:
        super().__init__(400, "invalid", detail)
        self.errors = [{"parameter": parameter, "code": code, "detail": detail}]


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """A misspelled filter must not answer with everything."""
    allowed = sorted(known)
    for name in request.query_params:
        if name not in allowed:
            detail = f"This address knows no parameter “{name[:100]}”, only: {', '.join(allowed)}."
            raise ParameterError(name[:100], "unknown_parameter", detail)


def wanted_fields(request: Request, serializer: type[RowSerializer[Any]]) -> frozenset[str] | None:
    """The names in ``?fields=id,title,show.title``; None for all; raises ParameterError."""
    text = request.query_params.get("fields")
    if text is None:
        return None
    wanted = frozenset(name.strip() for name in text.split(",") if name.strip())
    try:
        serializer.plan(wanted)
    except UnknownFieldError as error:
        detail = f"There is no field “{str(error.args[0])[:100]}”."
        raise ParameterError("fields", "unknown_field", detail) from error
    return wanted

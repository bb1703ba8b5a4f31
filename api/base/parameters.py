"""What may stand behind the question mark: names that are known, and which fields are wanted."""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import CharField, Serializer

from api.base.problems import ProblemError, details
from api.base.rows import RowSerializer, UnknownFieldError


class ParameterError(ProblemError):
    """A value in the address that can't be accepted."""

    def __init__(self, parameter: str, code: str, detail: str) -> None:
        super().__init__(400, "invalid", detail)
        self.errors = [{"parameter": parameter, "code": code, "detail": detail}]


class ParametersError(ProblemError):
    """What serializers or filters refuse of an address, each with its parameter's name."""

    def __init__(self, refused: ValidationError) -> None:
        errors = [
            {"parameter": found.pop("pointer").removeprefix("#/").partition("/")[0], **found}
            for found in details(refused.detail)
        ]
        only_one = len(errors) == 1
        detail = errors[0]["detail"] if only_one else f"{len(errors)} parameters can’t be accepted."
        super().__init__(400, "invalid", detail)
        self.errors = errors


def checked_parameters(request: Request, query: type[Serializer[Any]]) -> dict[str, Any]:
    """The values behind the question mark as a serializer reads them; raises ParametersError."""
    data = query(data=request.query_params)
    texts = [name for name, field in data.fields.items() if isinstance(field, CharField)]
    refuse_empty(request, set(data.fields).difference(texts))
    try:
        data.is_valid(raise_exception=True)
    except ValidationError as error:
        raise ParametersError(error) from error
    found: dict[str, Any] = data.validated_data
    return found


def refuse_empty(request: Request, names: Iterable[str]) -> None:
    """Of these: ``?show=`` would be no filter at all, and answer with everything."""
    for name in names:
        if request.query_params.get(name) == "":
            raise ParameterError(name, "required", f"Give “{name}” a value, or leave it out.")


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
    refuse_empty(request, ["fields"])
    wanted = frozenset(name.strip() for name in text.split(","))
    try:
        serializer.plan(wanted)
    except UnknownFieldError as error:
        detail = f"There is no field “{str(error.args[0])[:100]}”."
        raise ParameterError("fields", "unknown_field", detail) from error
    return wanted

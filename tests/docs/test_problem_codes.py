"""The table of problem codes in docs/api.md: all that the source has, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.instance import PROJECT

# Of DRF: what its own exceptions say, which the API passes on.
OF_DRF = {
    "invalid",
    "method_not_allowed",
    "not_acceptable",
    "not_authenticated",
    "not_found",
    "parse_error",
    "permission_denied",
    "throttled",
    "unsupported_media_type",
}
# Calls that say a code, and which of their arguments it is.
SAYING = {
    "ProblemError": 1,
    "problem": 1,
    "refusal": 1,
    "PermissionDenied": 1,
    "AuthenticationFailed": 1,
    "UploadRefusedError": 0,
    "TokenRefusedError": 0,
    "_answer": 1,
}
PLACES = ["api", "hosting", "apps/accounts", "apps/media"]


def trees() -> Iterator[ast.Module]:
    for place in PLACES:
        for path in sorted(Path(PROJECT / place).rglob("*.py")):
            yield ast.parse(path.read_text())


def said_by(call: ast.Call) -> Iterator[str]:
    """The code in one call, if it is written there."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name == "__init__":
        arguments = call.args
    elif name in SAYING:
        arguments = call.args[SAYING[name] : SAYING[name] + 1]
    else:
        return
    for argument in arguments:
        if isinstance(argument, ast.Constant) and re.fullmatch(
            r"[a-z]+(_[a-z]+)*", str(argument.value)
        ):
            yield str(argument.value)


def codes() -> set[str]:
    """All that a problem's ``code`` can be."""
    found = set(OF_DRF)
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found |= set(said_by(node))
            names = [getattr(target, "id", "") for target in getattr(node, "targets", [])]
            if "_STATUSES" in names and isinstance(getattr(node, "value", None), ast.Dict):
                keys = node.value.keys  # type: ignore[attr-defined]
                found |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return found


def table() -> set[str]:
    """The codes of the table under "Refusals"."""
    text = (PROJECT / "docs" / "api.md").read_text()
    section = text.partition("\n## Refusals\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| \d{3} \| ([^|]+) \|", section, re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}


def test_the_table_has_every_code_of_the_source() -> None:
    assert codes() - table() == set()


def test_the_table_has_no_code_that_the_source_has_not() -> None:
    assert table() - codes() == set()

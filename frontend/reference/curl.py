"""A line for a shell that does what an operation does."""

import json
import re
import shlex
from typing import Any

type Schema = dict[str, Any]

_PARAMETER = re.compile(r"{(\w+)}")


def curl_line(server: str, path: str, method: str, operation: Schema) -> str:
    """With ``$TOKEN`` and, for what an address stands for, ``$SHOW`` and the like."""
    address = _PARAMETER.sub(lambda found: "$" + _variable(found[1], path), server + path)
    words = ["curl"]
    if method != "get":
        words.append(f"--request {method.upper()}")
    if path.endswith("/live"):
        words.append("--no-buffer")
    lines = [f'{" ".join(words)} "{address}"']
    if operation.get("security") != [{}]:
        lines.append('--header "Authorization: Bearer $TOKEN"')
    lines += _body(operation)
    return " \\\n  ".join(lines)


def _variable(name: str, path: str) -> str:
    name = path.split("/")[3].removesuffix("s") if name == "id" else name
    return name.removesuffix("_id").upper()


def _body(operation: Schema) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        example = content["application/json"].get("example", {})
        text = json.dumps(example, ensure_ascii=False)
        return ['--header "Content-Type: application/json"', f"--data {shlex.quote(text)}"]
    if "image/jpeg" in content:
        return ['--header "Content-Type: image/jpeg"', "--data-binary @cover.jpg"]
    return []

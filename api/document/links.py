"""Where an answer leads: links from what was made or listed to what can be done with it."""

from typing import Any

type Schema = dict[str, Any]

_MADE = "$response.body#/id"
_FIRST = "$response.body#/results/0/id"


def add_links(document: Schema) -> None:
    """From each answer that holds an id to the operations whose address takes it."""
    operations = {
        operation["operationId"]: (path, operation)
        for path, methods in document["paths"].items()
        for operation in methods.values()
    }
    for name, (_, operation) in operations.items():
        thing, where, status = _made_by(name, operation)
        if not thing:
            continue
        parameter = f"{thing}_id"
        links = {
            target: {"operationId": target, "parameters": {parameter: where}}
            for target, (path, _) in operations.items()
            if _only_parameter(path) == parameter and target != name
        }
        if links:
            operation["responses"][status]["links"] = links


def _made_by(name: str, operation: Schema) -> tuple[str, str, str]:
    """What an answer has the id of, where it stands in it, and in which answer; or nothing."""
    for prefix, status, where in _LEADING:
        thing = name.removeprefix(prefix)
        if thing != name and status in operation["responses"]:
            return _THINGS.get(thing, thing), where, status
    return "", "", ""


_LEADING = (
    ("create_", "201", _MADE),
    ("open_", "201", _MADE),
    ("found_", "201", _MADE),
    ("list_", "200", _FIRST),
)
# What is listed or made under another name than that of its id.
_THINGS = {
    "shows": "show",
    "organization_shows": "show",
    "episodes": "episode",
    "show_episodes": "episode",
    "organizations": "organization",
    "organization_webhooks": "webhook",
    "organization_webhook": "webhook",
    "webhook_deliveries": "delivery",
    "uploads": "upload",
    "tokens": "token",
}


def _only_parameter(path: str) -> str:
    """The address's one parameter; empty when it has none or several."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return names[0] if len(names) == 1 else ""

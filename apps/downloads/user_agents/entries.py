"""Lists of user agents as files: how they are read, and what is wrong with them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OWN_LISTS = Path(__file__).with_name("lists")
LIST_NAMES = ("bots", "apps", "libraries", "browsers", "devices", "referrers")
# What the columns of a download hold.
MAX_NAME_LENGTH = 100
MAX_CATEGORY_LENGTH = 20
MAX_PATTERN_LENGTH = 5_000
MAX_ENTRIES = 10_000  # of one list


class MalformedListError(ValueError):
    """Files that are no lists of user agents; ``problems`` are sentences for the operator."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list; ``category`` is "bot" for libraries of servers, or a device's class."""

    name: str
    pattern: str
    category: str = ""
    examples: tuple[str, ...] = field(default=(), compare=False)


type Lists = Mapping[str, tuple[Entry, ...]]


def read_lists(source: Path) -> Lists:
    """A folder of OPAWG's files, or one file that `to_document` describes.

    Raises OSError, and MalformedListError for what is in them.
    """
    if source.is_dir():
        return read_texts({name: _text(source / f"{name}.json") for name in LIST_NAMES})
    document = _parsed(source.name, _text(source))
    lists = document.get("lists") if isinstance(document, dict) else None
    if not isinstance(lists, dict):
        raise MalformedListError([f"{source.name} holds no lists of user agents"])
    return parse_lists(lists)


def read_texts(texts: Mapping[str, str]) -> Lists:
    """The texts of OPAWG's files, by the name of the list; raises MalformedListError."""
    return parse_lists({name: _parsed(f"{name}.json", text) for name, text in texts.items()})


def to_document(lists: Lists, **about: str) -> dict[str, Any]:
    """All lists in one file, so that no process ever sees the half of an update."""
    return {
        **about,
        "lists": {
            name: {"entries": [_to_object(entry) for entry in entries]}
            for name, entries in lists.items()
        },
    }


def parse_lists(documents: Mapping[str, Any]) -> Lists:
    """Parsed files by the name of the list; raises MalformedListError with all that is wrong."""
    problems: list[str] = []
    lists = {name: tuple(_entries(name, documents.get(name), problems)) for name in LIST_NAMES}
    if problems:
        raise MalformedListError(problems)
    return lists


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MalformedListError([f"{path.name} is not UTF-8"]) from error


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedListError([f"{name} is not JSON: {error}"]) from error


def _entries(name: str, document: Any, problems: list[str]) -> Iterable[Entry]:
    found = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(found, list) or len(found) > MAX_ENTRIES:
        problems.append(f"{name}: has no list of at most {MAX_ENTRIES:,} entries")
        return
    known = set()
    for number, raw in enumerate(found, start=1):
        problem = _problem(raw)
        if not problem and raw["name"] in known:
            problem = "its name is taken"
        if problem:
            problems.append(f"{name}: entry {number} ({_name_of(raw)}): {problem}")
            continue
        known.add(raw["name"])
        yield Entry(
            raw["name"],
            raw["pattern"],
            raw.get("category", ""),
            tuple(raw.get("examples", ())),
        )


def _problem(raw: Any) -> str:
    """What is wrong with the shape of an entry, as OPAWG's schema and our columns want it."""
    if not isinstance(raw, dict):
        return "is no object"
    if not _is_text(raw.get("name"), MAX_NAME_LENGTH):
        return f"has no name of at most {MAX_NAME_LENGTH} characters"
    pattern = raw.get("pattern")
    if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN_LENGTH:
        return f"has no pattern of at most {MAX_PATTERN_LENGTH:,} characters"
    if "category" in raw and not _is_text(raw["category"], MAX_CATEGORY_LENGTH):
        return f"its category is no word of at most {MAX_CATEGORY_LENGTH} characters"
    examples = raw.get("examples", [])
    if not isinstance(examples, list) or not all(isinstance(one, str) for one in examples):
        return "its examples are no list of texts"
    return ""


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _name_of(raw: Any) -> str:
    return str(raw.get("name", "no name") if isinstance(raw, dict) else raw)[:40]


def _to_object(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {"name": entry.name, "pattern": entry.pattern}
    if entry.category:
        found["category"] = entry.category
    if entry.examples:
        found["examples"] = list(entry.examples)
    return found

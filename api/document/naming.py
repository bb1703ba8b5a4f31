"""What operations are called, so that the methods of generated clients read well.

``list_shows``, ``get_show_feed``, ``create_episode``, ``publish_episode``: a verb, then the things
that the address leads along. A view whose address says it badly names its operation itself.
"""

_VERBS = {"GET": "get", "POST": "create", "PUT": "set", "PATCH": "update", "DELETE": "delete"}
# Plurals that end otherwise than with an s too many.
_SINGULARS = {"series": "series", "statistics": "statistics", "notes": "notes", "apps": "apps"}


def operation_id(path: str, method: str, *, is_list: bool) -> str:
    """For an address such as ``/api/v1/shows/{show_id}/feed/``."""
    things = _things(path)
    names, ends_with_id = [name for name, _ in things], things[-1][1]
    if method == "POST" and len(things) > 1 and things[-2][1] and not is_list:
        # An action on one thing: POST /shows/{show_id}/restore/
        return f"{names[-1]}_{singular(names[-2])}"
    if method == "GET" and is_list:
        return "_".join(["list", *(singular(name) for name in names[:-1]), names[-1]])
    last = singular(names[-1]) if ends_with_id or (method == "POST" and is_list) else names[-1]
    inner = [singular(name) if has_id else name for name, has_id in things[:-1]]
    # One of many is known by its own name: /organizations/{…}/members/{…}/ is a member.
    return "_".join([_VERBS[method], *([] if ends_with_id else inner), last])


def _things(path: str) -> list[tuple[str, bool]]:
    """The words of an address, each with whether an id follows it."""
    found: list[tuple[str, bool]] = []
    for part in path.strip("/").split("/")[2:]:
        if part.startswith("{"):
            found[-1] = (found[-1][0], True)
        else:
            found.append((part.replace("-", "_"), False))
    return found


def singular(noun: str) -> str:
    """``episodes`` is many, ``episode`` one; words that are neither stay."""
    if noun in _SINGULARS:
        return _SINGULARS[noun]
    if noun.endswith("ies"):
        return noun.removesuffix("ies") + "y"
    return noun.removesuffix("s")

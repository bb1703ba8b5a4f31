"""The last step of making the document, named in ``SPECTACULAR_SETTINGS``."""

from typing import Any

from api.base.schema import COMPONENTS
from api.document.about import add_about
from api.document.examples import add_examples
from api.document.links import add_links
from api.document.live import add_live
from api.document.roles import WORDS, add_roles
from api.document.tags import described_tags
from api.document.webhooks import add_webhooks

type Schema = dict[str, Any]


def complete(result: Schema, **options: Any) -> Schema:
    """What no view says of itself."""
    for kind, found in COMPONENTS.items():
        result["components"].setdefault(kind, {}).update(found)
    add_about(result)
    add_live(result)
    add_webhooks(result)
    result["tags"] = described_tags()
    add_roles(result)
    result["x-roles"] = WORDS
    add_links(result)
    add_examples(result)
    return result

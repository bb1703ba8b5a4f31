"""The document's words as HTML: they are Markdown, written by us."""

from django.utils.safestring import SafeString, mark_safe

from podcasts.notes import render_notes


def to_html(markdown: str) -> SafeString:
    """Paragraphs, lists and code; cleaned like any other text."""
    # drf-spectacular writes choices as a list, which stand beside the field already.
    text = markdown.partition("\n\n* `")[0] if not markdown.startswith("* `") else ""
    return mark_safe(render_notes(text.replace("``", "`")))  # noqa: S308  # cleaned by nh3


def inline(markdown: str) -> SafeString:
    """One paragraph's content without the paragraph."""
    return mark_safe(to_html(markdown).strip().removeprefix("<p>").removesuffix("</p>"))  # noqa: S308

"""Show notes: Markdown in, HTML that is safe to show anywhere out."""

import re
from functools import cache
from html import escape
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

from podcasts.feeds.xml import legal

_ELLIPSIS = "…"
DESCRIPTION_BYTES = 4000  # Apple's limit for channel and item descriptions
# What every podcast app shows; pictures are left out, since each would be a request to a stranger.
TAGS = {
    *("p", "br", "hr", "a", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
DESCRIPTION_TAGS = {"p", "ol", "ul", "li", "a"}  # what Apple renders in a description
SCHEMES = {"http", "https", "mailto"}
_HEADINGS = {"h1": "h2", "h5": "h4", "h6": "h4"}


@cache
def _markdown() -> MarkdownIt:
    # HTML in the source is shown as text: people paste from everywhere.
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def render_notes(markdown: str) -> str:
    """The HTML of show notes; headings below the page's own, links that pass nothing on."""
    html = _markdown().render(legal(markdown))
    for found, wanted in _HEADINGS.items():
        html = html.replace(f"<{found}>", f"<{wanted}>").replace(f"</{found}>", f"</{wanted}>")
    return nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="noopener nofollow ugc",
    ).strip()


def plain_text(html: str, limit: int | None = None) -> str:
    """The words of show notes on one line, cut at a word with an ellipsis when too long."""
    text = " ".join(_Words.of(html).split())
    if limit is None or len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:.–-") + _ELLIPSIS


def feed_description(html: str, limit_bytes: int = DESCRIPTION_BYTES) -> str:
    """Show notes for a feed's ``description``: Apple's few tags, whole elements, in the limit."""
    few = nh3.clean(
        html,
        tags=DESCRIPTION_TAGS,
        attributes={"a": {"href"}},
        url_schemes=SCHEMES,
        link_rel=None,
    ).strip()
    if len(few.encode()) <= limit_bytes:
        return few
    return _Shortener(limit_bytes).shorten(few)


class _Words(HTMLParser):
    """Collects the text of a document, with a space where a block ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    @classmethod
    def of(cls, html: str) -> str:
        parser = cls()
        parser.feed(html)
        parser.close()
        return "".join(parser.pieces)

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"br", "hr"}:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"a", "strong", "em", "s", "code"}:
            self.pieces.append(" ")


class _Shortener(HTMLParser):
    """Copies clean HTML until a number of bytes is full, cuts at a word and closes what is open."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(convert_charrefs=True)
        self._room = limit_bytes - len(_ELLIPSIS.encode())
        self._open: list[str] = []
        self._out: list[str] = []
        self._is_full = False

    def shorten(self, html: str) -> str:
        self.feed(html)
        self.close()
        text = "".join(self._out)
        if self._is_full:
            text = text.rstrip() + _ELLIPSIS
        return text + "".join(f"</{tag}>" for tag in reversed(self._open))

    def _add(self, text: str, *opens: str) -> bool:
        """Whether there was room for the text and for closing all that is open by then."""
        closing = sum(len(f"</{tag}>") for tag in [*self._open, *opens])
        size = len(text.encode())
        if self._is_full or size + closing > self._room:
            self._is_full = True
            return False
        self._room -= size
        self._out.append(text)
        return True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        written = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs)
        if self._add(f"<{tag}{written}>", tag):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._is_full and self._open and self._open[-1] == tag:
            self._open.pop()
            self._out.append(f"</{tag}>")
            self._room -= len(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        for word in re.findall(r"\s*\S+|\s+", data):
            # A no-break space is written as nh3 writes it.
            if not self._add(escape(word, quote=False).replace("\xa0", "&nbsp;")):
                return

"""XML as podcast apps expect it: namespaces to the letter, and text that XML 1.0 allows."""

import re

from lxml import etree

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
NAMESPACES = {"itunes": ITUNES, "podcast": PODCAST, "atom": ATOM, "content": CONTENT}

TEXT_LIMIT = 255  # characters, where Apple names no other limit
# XML 1.0 section 2.2, production 2: everything else may not stand in a document, even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """The text without the characters that XML forbids."""
    return _FORBIDDEN.sub("", text)


def _name(tag: str) -> str:
    prefix, _, local = tag.rpartition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if prefix else local


def add(
    parent: etree._Element, tag: str, text: str | None = None, **attributes: str
) -> etree._Element:
    """Append ``<prefix:tag>`` with trimmed text of at most 255 characters."""
    element = etree.SubElement(parent, _name(tag))
    for name, value in attributes.items():
        element.set(name, legal(value))
    if text is not None:
        element.text = legal(text).strip()[:TEXT_LIMIT]
    return element


def add_long(parent: etree._Element, tag: str, text: str) -> None:
    """Append an element whose text has no limit of 255 characters."""
    etree.SubElement(parent, _name(tag)).text = legal(text).strip()


def add_html(parent: etree._Element, tag: str, html: str) -> None:
    """Append an element with HTML in a CDATA section."""
    element = etree.SubElement(parent, _name(tag))
    # "]]>" would end the section, so that text is escaped instead.
    element.text = legal(html) if "]]>" in html else etree.CDATA(legal(html))


def truncate_bytes(text: str, limit: int) -> str:
    """The longest beginning of a text whose UTF-8 form fits into ``limit`` bytes."""
    return text.encode()[:limit].decode(errors="ignore")

"""A show and its public episodes as an RSS 2.0 document."""

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime

from lxml import etree

from apps.media.models import Image, Rendition
from podcasts import urls
from podcasts.feeds.xml import NAMESPACES, add, add_html, add_long, truncate_bytes
from podcasts.models import Episode, Show
from podcasts.notes import DESCRIPTION_BYTES, feed_description


def build_feed(show: Show, episodes: Iterable[Episode]) -> etree._Element:
    """The whole document but its ``lastBuildDate``: equal content gives equal bytes.

    Episodes come in feed order and with their media; one without a playable file is left out.
    """
    rss = etree.Element("rss", nsmap=NAMESPACES)
    rss.set("version", "2.0")
    channel = add(rss, "channel")
    _add_identity(channel, show)
    _add_apple_tags(channel, show)
    _add_podcast_tags(channel, show)
    for episode in episodes:
        rendition = episode.audio.rendition if episode.audio else None
        if rendition is not None:
            _add_item(channel, show, episode, rendition)
    return rss


def serialize(rss: etree._Element, *, built_at: datetime) -> bytes:
    """UTF-8 bytes with the date of the last real change."""
    channel = rss[0]
    date = etree.Element("lastBuildDate")
    date.text = format_datetime(built_at, usegmt=True)
    channel.insert(_first_item(channel), date)
    return etree.tostring(rss, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _first_item(channel: etree._Element) -> int:
    item = channel.find("item")
    return len(channel) if item is None else channel.index(item)


def _add_identity(channel: etree._Element, show: Show) -> None:
    add(channel, "title", show.title)
    add(channel, "link", show.website or urls.show_url(show))
    add_long(channel, "description", truncate_bytes(show.description, DESCRIPTION_BYTES))
    add(channel, "language", show.language)
    if show.copyright:
        add(channel, "copyright", show.copyright)
    add(channel, "generator", "Longwave")
    add(
        channel,
        "atom:link",
        href=urls.feed_url(show.handle),
        rel="self",
        type="application/rss+xml",
    )
    image = add(channel, "image")
    add_long(image, "url", urls.artwork_url(show.artwork, "feed"))
    add(image, "title", show.title)
    add(image, "link", show.website or urls.show_url(show))


def _add_apple_tags(channel: etree._Element, show: Show) -> None:
    add(channel, "itunes:title", show.title)
    add(channel, "itunes:author", show.author)
    add(channel, "itunes:type", show.type)
    add(channel, "itunes:explicit", _boolean(show.is_explicit))
    add(channel, "itunes:image", href=urls.artwork_url(show.artwork, "feed"))
    main, _, sub = show.category.partition("/")
    category = add(channel, "itunes:category", text=None)
    category.set("text", main)
    if sub:
        add(category, "itunes:category").set("text", sub)
    if show.owner_name or show.is_owner_email_public:
        owner = add(channel, "itunes:owner")
        add(owner, "itunes:name", show.owner_name or show.author)
        if show.is_owner_email_public and show.owner_email:
            add(owner, "itunes:email", show.owner_email)
    # Only "Yes" means anything: any other value, or no tag, is a no.
    if show.is_blocked:
        add(channel, "itunes:block", "Yes")
    if show.is_complete:
        add(channel, "itunes:complete", "Yes")


def _add_podcast_tags(channel: etree._Element, show: Show) -> None:
    add(channel, "podcast:guid", str(show.guid))
    locked = add(channel, "podcast:locked", "yes" if show.is_locked else "no")
    if show.is_owner_email_public and show.owner_email:
        locked.set("owner", show.owner_email)
    add(channel, "podcast:medium", "podcast")
    _add_podcast_image(channel, show.artwork)


def _add_podcast_image(parent: etree._Element, image: Image) -> None:
    variant = image.variants["feed"]
    element = add(
        parent,
        "podcast:image",
        href=urls.artwork_url(image, "feed"),
        type=variant["content_type"],
        width=str(variant["width"]),
        height=str(variant["width"]),
        purpose="artwork",
    )
    element.set("aspect-ratio", "1/1")


def _add_item(channel: etree._Element, show: Show, episode: Episode, rendition: Rendition) -> None:
    item = add(channel, "item")
    add(item, "title", episode.title)
    add(item, "itunes:title", episode.title)
    add_long(item, "guid", episode.guid)
    item[-1].set("isPermaLink", "false")
    add(
        item,
        "enclosure",
        url=urls.enclosure_url(episode, rendition),
        length=str(rendition.size_bytes),
        type=rendition.content_type,
    )
    if episode.published_at is not None:
        add(item, "pubDate", format_datetime(episode.published_at, usegmt=True))
    add(item, "link", urls.episode_url(show, episode))
    if episode.notes_html:
        add_html(item, "description", feed_description(episode.notes_html))
        add_html(item, "content:encoded", episode.notes_html)
    _add_item_apple_tags(item, episode, rendition)
    _add_item_podcast_tags(item, episode)


def _add_item_apple_tags(item: etree._Element, episode: Episode, rendition: Rendition) -> None:
    add(item, "itunes:duration", str(round(rendition.duration_ms / 1000)))
    add(item, "itunes:explicit", _boolean(episode.is_explicit))
    add(item, "itunes:episodeType", episode.type)
    if episode.season_number:
        add(item, "itunes:season", str(episode.season_number))
    if episode.episode_number:
        add(item, "itunes:episode", str(episode.episode_number))
    if episode.artwork is not None:
        add(item, "itunes:image", href=urls.artwork_url(episode.artwork, "feed"))


def _add_item_podcast_tags(item: etree._Element, episode: Episode) -> None:
    if episode.season_number:
        add(item, "podcast:season", str(episode.season_number))
    if episode.episode_number:
        add(item, "podcast:episode", str(episode.episode_number))
    if episode.audio is not None and episode.audio.chapters:
        add(
            item,
            "podcast:chapters",
            url=urls.chapters_url(episode),
            type="application/json+chapters",
        )
    if episode.artwork is not None:
        _add_podcast_image(item, episode.artwork)


def _boolean(value: bool) -> str:
    return "true" if value else "false"

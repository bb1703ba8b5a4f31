"""What show notes become, friendly ones and hostile ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podcasts.notes import feed_description, plain_text, render_notes


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("Hello *there*", "<p>Hello <em>there</em></p>"),
        ("# Big\n\n##### Small", "<h2>Big</h2>\n<h4>Small</h4>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("~~no~~", "<p><s>no</s></p>"),
        (
            "[a](https://example.com)",
            '<p><a href="https://example.com" rel="noopener nofollow ugc">a</a></p>',
        ),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("![p](https://example.com/a.png)", "<p></p>"),
        ("bell\x07 and \ufffe", "<p>bell and</p>"),
        ("", ""),
    ],
)
def test_markdown_becomes_safe_html(markdown: str, html: str) -> None:
    assert render_notes(markdown) == html


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](  javascript:alert(1))",
        '[x](https://e.com "on\\"click=alert(1)")',
        "<svg><script>alert(1)</script></svg>",
        "<style>*{display:none}</style>",
    ],
)
def test_nothing_in_notes_can_run(hostile: str) -> None:
    html = render_notes(hostile)
    for danger in ("<script", "<img", "<svg", "<style", '<a href="javascript', '<a href="data'):
        assert danger not in html.lower()
    assert ' onclick="' not in html


@pytest.mark.parametrize(
    ("html", "limit", "text"),
    [
        ("<p>One</p>\n<p>two &amp; <em>three</em>.</p>", None, "One two & three."),
        ("<ul><li>a</li><li>b</li></ul>", None, "a b"),
        ("<p>one two three</p>", 9, "one two…"),
        ("<p>one two</p>", 7, "one two"),
    ],
)
def test_plain_text_is_the_words(html: str, limit: int | None, text: str) -> None:
    assert plain_text(html, limit) == text


def test_a_description_has_only_the_tags_that_apple_renders() -> None:
    html = render_notes("# Title\n\nSome **bold** [link](https://e.com)\n\n> quoted")
    assert feed_description(html) == (
        'Title\n<p>Some bold <a href="https://e.com">link</a></p>\n\n<p>quoted</p>'
    )


def test_a_long_description_is_cut_at_a_word_and_closed() -> None:
    html = "<ul><li>" + "wörd & " * 100 + "</li></ul>"
    short = feed_description(html, 60)
    assert short == "<ul><li>wörd &amp; wörd &amp; wörd &amp;…</li></ul>"
    assert len(short.encode()) <= 60


@given(
    st.lists(st.text(max_size=40), max_size=20).map("\n\n".join),
    st.integers(min_value=40, max_value=400),
)
def test_a_description_fits_and_is_whole(markdown: str, limit: int) -> None:
    short = feed_description(render_notes(markdown), limit)
    assert len(short.encode()) <= limit
    # Cleaning what is whole and allowed changes nothing.
    assert feed_description(short, limit).split() == short.split()

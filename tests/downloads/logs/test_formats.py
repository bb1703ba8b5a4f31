"""A record that is written in any format is read as the same record."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.downloads.logs.formats import UNUSABLE, Layout, LogFormat
from apps.downloads.logs.reading import Place, read_chunks
from apps.downloads.logs.records import (
    SEVERAL_RANGES,
    BadLineError,
    LogRecord,
    as_header,
    referrer_host,
    sent_intervals,
)
from tests.downloads.logs import writing
from tests.downloads.logs.writing import Said, request
from tests.downloads.making import CHROME, NOON, OVERCAST

NOON_MS = int(NOON.timestamp() * 1000)
_NAMES = st.text("abcdefghij-0123456789", min_size=1, max_size=12)


@st.composite
def said(draw: st.DrawFn) -> Said:
    """A request that every format can tell."""
    agent = draw(st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=60))
    agent = as_header(agent.replace("\x7f", "").strip())
    status = draw(st.sampled_from([200, 206, 206, 0, 304, 404]))
    first = draw(st.integers(0, 10**10)) if status == 206 else None
    took_ms = draw(st.integers(0, 5_000_000))
    ended_ms = NOON_MS + 1000 * draw(st.integers(-(10**6), 10**6))
    query = draw(st.sampled_from(["", "a=b", "key=%41&x=%2520"]))
    record = LogRecord(
        request_id=draw(st.text("0123456789abcdef", min_size=32, max_size=32)),
        began_at_ms=ended_ms - took_ms,
        method=draw(st.sampled_from(["GET", "HEAD", "POST"])),
        status=status,
        ip=draw(st.sampled_from(["203.0.113.9", "2001:db8::1", "198.51.100.77"])),
        agent="" if agent == "-" else agent,
        referrer=draw(st.sampled_from(["", "blog.example.org"])),
        path=f"/{quote(draw(st.text(max_size=8)).encode('utf-8', 'replace'))}/{draw(_NAMES)}.mp3",
        query=query,
        asked_range="",
        first_byte=first,
        last_byte=None if first is None else first + draw(st.integers(0, 10**9)),
        body_bytes=draw(st.integers(0, 10**10)),
        country=draw(st.sampled_from(["", "DE", "BR"])),
    )
    return Said(record, took_ms=took_ms, is_complete=draw(st.booleans()))


CLOUDFRONT = Layout(LogFormat.CLOUDFRONT)
REALTIME = Layout(LogFormat.CLOUDFRONT, " ".join(writing.REALTIME_FIELDS))
NGINX = Layout(LogFormat.NGINX, writing.NGINX_FORMAT)
NGINX_JSON = Layout(LogFormat.NGINX, writing.NGINX_JSON_FORMAT)
CADDY = Layout(LogFormat.CADDY)

FORMATS: dict[str, tuple[Layout, str, Callable[[Said], str], set[str]]] = {
    "CloudFront v1": (CLOUDFRONT, writing.V1_HEADER, writing.cloudfront_v1, {"country"}),
    "CloudFront v2 JSON": (CLOUDFRONT, "", writing.cloudfront_json, set()),
    "CloudFront real-time": (REALTIME, "", writing.cloudfront_realtime, set()),
    "nginx": (NGINX, "", writing.nginx, set()),
    "nginx JSON": (NGINX_JSON, "", writing.nginx_json, set()),
    "Caddy": (CADDY, "", writing.caddy, {"country", "request_id"}),
}


def parse(layout: Layout, text: str) -> LogRecord:
    """The record of the last of these lines."""
    parser = layout.lines()
    records = [parser.parse(line.encode("latin-1")) for line in text.splitlines()]
    assert records[-1] is not None
    return records[-1]


@pytest.mark.parametrize("name", FORMATS)
@given(said())
@settings(max_examples=60)
def test_every_format_tells_the_same_record(name: str, one: Said) -> None:
    layout, header, write, untold = FORMATS[name]
    blanks: dict[str, Any] = dict.fromkeys(untold, "")
    expected = one.record._replace(**blanks)
    assert parse(layout, header + write(one)) == expected


@given(st.lists(said(), min_size=1, max_size=7))
@settings(max_examples=25, deadline=None)
def test_parquet_tells_the_same_records(many: list[Said]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        writing.write_parquet(path, many)
        chunks = list(read_chunks(path, CLOUDFRONT, Place(), is_whole=True, chunk_lines=3))
        assert [r for chunk in chunks for r in chunk.records] == [one.record for one in many]
        assert chunks[-1].place.position == len(many)
        for chunk in chunks:
            rest = read_chunks(path, CLOUDFRONT, chunk.place, is_whole=True, chunk_lines=3)
            left = [r for later in rest for r in later.records]
            assert left == [one.record for one in many[chunk.place.position :]]


def test_a_line_as_cloudfront_writes_it() -> None:
    line = (
        "2026-10-14\t12:00:05\tFRA60-P2\t1160450\t2001:db8:1:2::9\tGET\t"
        "d111111abcdef8.cloudfront.net\t/media/018f9f7e-0000-7000-8000-000000000001/one.mp3\t206\t"
        "https://blog.example.org/p%2525\tOvercast/3.0%20(+http://overcast.fm/;%20iOS%20podcast%20"
        "app)\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\t"
        "cdn.example.com\thttps\t23\t5.250\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-"
        "\t11040\t0.078\tHit\taudio/mpeg\t1160000\t0\t1159999"
    )
    record = parse(CLOUDFRONT, writing.V1_HEADER + line)
    assert record == LogRecord(
        request_id="SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==",
        began_at_ms=NOON_MS - 250,
        method="GET",
        status=206,
        ip="2001:db8:1:2::9",
        agent=OVERCAST,
        referrer="blog.example.org",
        path="/media/018f9f7e-0000-7000-8000-000000000001/one.mp3",
        query="",
        asked_range="",
        first_byte=0,
        last_byte=1159999,
        body_bytes=1160000,
        country="",
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"sc-bytes": "2000", "sc-content-len": "2000"}, 2000),
        ({"sc-bytes": "2400", "sc-content-len": "2000"}, 2000),
        ({"sc-bytes": "1999", "sc-content-len": "2000"}, 975),
        ({"sc-bytes": "900", "sc-content-len": "2000"}, 0),
        ({"sc-bytes": "5000", "sc-content-len": "-"}, 3976),
        ({"sc-bytes": "2400", "sc-content-len": "2000", "x-edge-result-type": "Error"}, 1376),
        (
            {
                "sc-bytes": "2400",
                "sc-content-len": "2000",
                "x-edge-result-type": "Error",
                "x-edge-response-result-type": "Error",
            },
            2000,
        ),
        ({"sc-bytes": "0", "sc-content-len": "-", "sc-status": "000"}, 0),
    ],
)
def test_header_fields_are_not_taken_for_audio(changed: dict[str, str], expected: int) -> None:
    values = writing.cloudfront_values(request("/a.mp3")) | changed
    line = "\t".join(values.get(name, "-") for name in writing.V1_FIELDS)
    assert parse(CLOUDFRONT, writing.V1_HEADER + line).body_bytes == expected


def test_an_agent_is_decoded_exactly_once() -> None:
    values = writing.cloudfront_values(request("/a.mp3")) | {"cs(User-Agent)": "A%2520B%20C%C3%A9"}
    line = "\t".join(values.get(name, "-") for name in writing.V1_FIELDS)
    # As Django reads a header field with these bytes, so that a listener is one on both ways.
    assert parse(CLOUDFRONT, writing.V1_HEADER + line).agent == "A%20B C\xc3\xa9"


def test_fields_may_come_in_any_order_and_change_within_a_file() -> None:
    values = writing.cloudfront_values(request("/a.mp3"))
    text = writing.V1_HEADER + writing.cloudfront_v1(request("/b.mp3"))
    backwards = list(reversed(writing.V2_FIELDS))
    text += f"\n#Fields: {' '.join(backwards)}\n" + "\t".join(values[name] for name in backwards)
    assert parse(CLOUDFRONT, text).path == "/a.mp3"


def test_the_line_of_fields_may_be_separated_as_the_values_are() -> None:
    layout = Layout(LogFormat.CLOUDFRONT, delimiter=",")
    values = writing.cloudfront_values(request("/a.mp3")) | {"cs(User-Agent)": "Pocket%20Casts"}
    text = f"#Fields:{','.join(writing.V2_FIELDS)}\n" + ",".join(
        values[name] for name in writing.V2_FIELDS
    )
    assert parse(layout, text).agent == "Pocket Casts"


def test_a_combined_line_of_nginx() -> None:
    line = (
        '203.0.113.9 - - [14/Oct/2026:14:00:00 +0200] "GET /media/x/a.mp3?s=1 HTTP/1.1" 206 65536 '
        r'"https://blog.example.org/" "Mozilla \x22x\x22 \xC3\xA9"'
    )
    record = parse(Layout(LogFormat.NGINX), line)
    assert (record.began_at_ms, record.ip) == (NOON_MS, "203.0.113.9")
    assert (record.path, record.query) == ("/media/x/a.mp3", "s=1")
    assert (record.status, record.body_bytes) == (206, 65536)
    assert (record.referrer, record.agent) == ("blog.example.org", 'Mozilla "x" \xc3\xa9')
    assert (record.asked_range, record.first_byte) == ("", None)


def test_nginx_log_with_upstreams_forwarded_addresses_and_bytes_with_header(
    behind_proxy: None,
) -> None:
    log_format = (
        '$remote_addr "$http_x_forwarded_for" $upstream_addr [$time_iso8601] "$request_method '
        '$request_uri" $status $bytes_sent $sent_http_content_length $http_range '
        '"$http_user_agent" rt=$request_time'
    )
    line = (
        '192.0.2.1 "198.51.100.200, 203.0.113.9" 192.0.2.7:8000, 192.0.2.8:8000 '
        '[2026-10-14T12:00:10+00:00] "GET /m/a.mp3" 206 700 5000 bytes=100- '
        f'"{CHROME}" rt=10.500'
    )
    record = parse(Layout(LogFormat.NGINX, log_format), line)
    assert record.ip == "203.0.113.9"
    assert record.began_at_ms == NOON_MS - 500
    assert (record.asked_range, record.body_bytes, record.agent) == ("bytes=100-", 0, CHROME)


@pytest.fixture
def behind_proxy(settings: LazySettings) -> None:
    """A proxy in front of nginx is believed."""
    settings.TRUSTED_PROXIES = ["192.0.2.0/24"]


@pytest.mark.parametrize("told", ["http%3A//a%00b/", "http://a\x00b/", "//x%1Fy", "http://[::1"])
def test_a_referrer_that_no_host_has_is_none(told: str) -> None:
    """PostgreSQL would refuse it, and with it all that is counted together."""
    assert referrer_host(told) == ""


def test_what_only_looks_like_a_variable_is_text() -> None:
    layout = Layout(LogFormat.NGINX, f"$1 ${{2}} {writing.NGINX_FORMAT}")
    line = f"$1 ${{2}} {writing.nginx(request('/a.mp3'))}"
    assert parse(layout, line).path == "/a.mp3"


def test_messages_of_caddy_that_are_no_requests_are_passed_over() -> None:
    parser = Layout(LogFormat.CADDY).lines()
    assert parser.parse(b'{"level":"info","ts":1.5,"msg":"serving initial configuration"}') is None


BAD_LINES: list[tuple[Layout, str, str]] = [
    (CLOUDFRONT, writing.V1_HEADER + "2026-10-14\t12:00:00\t", "values instead of 33"),
    (CLOUDFRONT, '{"timestamp(ms)":', "JSON is broken"),
    (CLOUDFRONT, '{"timestamp(ms)": "1"}', "lacks the fields"),
    (NGINX, "- - -", "does not follow"),
    (Layout(LogFormat.NGINX), writing.combined("/a").replace("Oct", "Okt"), "is no time"),
    (Layout(LogFormat.NGINX), writing.combined("/a").replace("/2026:", "/1812:"), "out of range"),
    (NGINX_JSON, "[1]", "no object"),
    (NGINX_JSON, "[" * 100_000, "broken"),
    (CADDY, '{"request":{"uri":"/"},"status":"200","ts":1,"size":1}', "status is no number"),
    (CADDY, '{"request":{"uri":"/"},"status":200,"ts":"yesterday","size":1}', "ts is no time"),
    (CADDY, '{"request":{"uri":"/"},"status":200,"ts":NaN,"size":1}', "ts is no number"),
]


@pytest.mark.parametrize(("layout", "text", "reason"), BAD_LINES)
def test_a_bad_line_says_what_is_wrong(layout: Layout, text: str, reason: str) -> None:
    with pytest.raises(BadLineError, match=reason):
        parse(layout, text)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(max_examples=60)
def test_a_line_that_was_damaged_is_bad_or_a_record_but_never_an_accident(
    name: str, data: st.DataObject
) -> None:
    layout, header, write, _ = FORMATS[name]
    line = bytearray(write(request("/a.mp3")).encode("latin-1"))
    for _ in range(data.draw(st.integers(1, 4))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    parser = layout.lines()
    for one in header.splitlines():
        parser.parse(one.encode())
    try:
        parser.parse(bytes(line))
    except (BadLineError, *UNUSABLE):
        return


@pytest.mark.parametrize(
    ("layout", "text", "reason"),
    [
        (CLOUDFRONT, writing.cloudfront_realtime(request("/a")), "name them"),
        (CLOUDFRONT, "#Fields: date time c-ip", "lacks the fields cs-method"),
        (
            CLOUDFRONT,
            "#Fields: c-ip cs-method cs-uri-stem sc-status sc-bytes cs(User-Agent)",
            "date and time",
        ),
        (Layout(LogFormat.NGINX, "$remote_addr [$time_local]"), "", "lacks .request"),
        (Layout(LogFormat.NGINX, "$remote_addr$status"), "", "nothing between"),
    ],
)
def test_a_log_without_what_counting_needs_is_refused_as_a_whole(
    layout: Layout, text: str, reason: str
) -> None:
    with pytest.raises(UNUSABLE, match=reason):
        parse(layout, text)


SIZE = 1000
PLACED: list[tuple[str, dict[str, Any], tuple[tuple[int, int], ...] | None]] = [
    ("a whole file", {"body_bytes": 1000}, ((0, 1000),)),
    ("more than the file", {"body_bytes": 4000}, ((0, 1000),)),
    ("an aborted one", {"body_bytes": 300}, ((0, 300),)),
    ("nothing of it", {"body_bytes": 0}, ()),
    ("a redirect", {"status": 302, "body_bytes": 300}, ()),
    (
        "a range",
        {"status": 206, "first_byte": 100, "last_byte": 299, "body_bytes": 200},
        ((100, 300),),
    ),
    (
        "a range aborted",
        {"status": 206, "first_byte": 100, "last_byte": 299, "body_bytes": 50},
        ((100, 150),),
    ),
    (
        "a range that was asked for",
        {"status": 206, "asked_range": "bytes=100-", "body_bytes": 50},
        ((100, 150),),
    ),
    (
        "the last bytes",
        {"status": 206, "asked_range": "bytes=-200", "body_bytes": 50},
        ((800, 850),),
    ),
    ("several ranges", {"status": 206, "asked_range": "bytes=0-1,9-12", "body_bytes": 50}, None),
    ("several that nobody told", {"status": 206, "asked_range": SEVERAL_RANGES}, None),
    ("a range beyond the end", {"status": 206, "asked_range": "bytes=5000-"}, None),
    ("a range nobody told", {"status": 206, "body_bytes": 50}, ((0, 50),)),
]


@pytest.mark.parametrize(("name", "told", "expected"), PLACED)
def test_bytes_are_placed_where_they_were_sent(
    name: str, told: dict[str, Any], expected: tuple[tuple[int, int], ...] | None
) -> None:
    record = request("/a.mp3", **told).record
    assert sent_intervals(record, SIZE) == expected

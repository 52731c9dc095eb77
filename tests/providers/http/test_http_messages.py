import pytest

from app.errors import ProviderProtocolError
from app.providers.http.http_messages import BodyReader, ChunkedBody, EndlessBody, LengthBody, body_reader, parse_head

CHUNKED = b"5\r\nHello\r\n6;name=value\r\n world\r\n0\r\nTrailer: x\r\n\r\n"


def feed_in_pieces(body: BodyReader, data: bytes, size: int) -> bytes:
    return b"".join(body.feed(data[start : start + size]) for start in range(0, len(data), size))


@pytest.mark.parametrize("size", range(1, len(CHUNKED) + 1))
def test_chunks_are_joined_wherever_they_are_cut(size: int) -> None:
    body = ChunkedBody()

    assert feed_in_pieces(body, CHUNKED, size) == b"Hello world"
    assert body.complete
    assert not body.excess


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_bytes_behind_the_last_chunk_are_an_excess(size: int) -> None:
    body = ChunkedBody()

    feed_in_pieces(body, CHUNKED + b"HTTP/1.1 200 OK", size)

    assert body.complete
    assert body.excess


@pytest.mark.parametrize("data", [b"xyz\r\n", b"-5\r\nHello\r\n", b"\r\n", b"5\r\nHelloo\r\n", b"1" * 70_000])
def test_invalid_chunks_are_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProviderProtocolError):
        ChunkedBody().feed(data)


def test_a_length_counts_bytes() -> None:
    body = LengthBody(5)

    assert body.feed(b"Hello!") == b"Hello"
    assert body.complete
    assert body.excess


def test_a_length_is_not_complete_before_its_end() -> None:
    body = LengthBody(5)

    assert body.feed(b"Hel") == b"Hel"
    assert not body.complete


def test_a_close_ends_only_an_endless_body() -> None:
    endless = EndlessBody()
    assert endless.feed(b"Hello") == b"Hello"
    endless.end()
    assert endless.complete

    for cut in (LengthBody(5), ChunkedBody()):
        with pytest.raises(ProviderProtocolError):
            cut.end()


def test_a_head_has_status_and_headers() -> None:
    head = parse_head(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nX:y:z")

    assert head.status == 429
    assert head.headers == {"retry-after": "3", "x": "y:z"}


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"HTTP/1.1 200 OK", True),
        (b"HTTP/1.1 200", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close", False),
        (b"HTTP/1.0 200 OK", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive", True),
    ],
)
def test_a_head_says_whether_the_connection_is_kept(raw: bytes, kept: bool) -> None:
    assert parse_head(raw).keep_alive is kept


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0-OpenSSH", b"HTTP/1.1 OK", b"HTTP/1.1 20", b"HTTP/2 200 OK"])
def test_an_invalid_head_is_a_protocol_error(raw: bytes) -> None:
    with pytest.raises(ProviderProtocolError):
        parse_head(raw)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (b"", EndlessBody),
        (b"Content-Length: 5", LengthBody),
        (b"Transfer-Encoding: Chunked", ChunkedBody),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5", ChunkedBody),
    ],
)
def test_a_head_says_how_its_body_ends(headers: bytes, kind: type[BodyReader]) -> None:
    assert isinstance(body_reader(parse_head(b"HTTP/1.1 200 OK\r\n" + headers)), kind)


@pytest.mark.parametrize("headers", [b"Content-Length: x", b"Content-Length: -1", b"Transfer-Encoding: gzip"])
def test_a_body_that_cannot_be_read_is_a_protocol_error(headers: bytes) -> None:
    with pytest.raises(ProviderProtocolError):
        body_reader(parse_head(b"HTTP/1.1 200 OK\r\n" + headers))


def test_no_content_has_no_body() -> None:
    assert body_reader(parse_head(b"HTTP/1.1 204 No Content")).complete

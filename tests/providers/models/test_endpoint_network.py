"""Model calls through proxies, with private authorities, to servers that redirect and compress."""

import base64
import gzip
import pathlib
import socket
import zlib

import pytest

from app.errors import ProviderError, ProviderProtocolError, ProviderUnreachable
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing
from app.providers.models.chat_model import ChatModel
from app.providers.models.endpoint import Endpoint
from tests.support.proxy_server import ProxyServer
from tests.support.raw_server import (
    ANSWER,
    CHUNKED,
    DONE,
    HEAD,
    LAST,
    QUESTION,
    RawServer,
    chunked,
    frame,
    read_request,
    say,
    say_and_close,
)
from tests.support.scripted_model import ScriptedModel
from tests.support.secure_server import PrivateAuthority


def ask(base_url: str, outgoing: Outgoing = WITHOUT_PROXY, key: str = "key") -> str:
    return ChatModel(Endpoint(base_url, key, connect_timeout=2, read_timeout=5, outgoing=outgoing), "tiny").complete(
        QUESTION, {}
    )[0]


def test_a_call_without_tls_names_the_whole_url_to_its_proxy() -> None:
    with ScriptedModel() as server, ProxyServer() as proxy:
        endpoint = Endpoint(f"http://models.test:{server.port}/v1", "key", outgoing=Outgoing(http=proxy.url))
        model = ChatModel(endpoint, "tiny")

        assert model.complete(QUESTION, {})[0] == "tok0 tok1 tok2"
        assert model.complete(QUESTION, {})[0] == "tok0 tok1 tok2"

        assert proxy.requests == [f"POST http://models.test:{server.port}/v1/chat/completions"] * 2
        assert proxy.connections == 1
        assert server.requests[0].headers["host"] == f"models.test:{server.port}"


def test_a_call_with_tls_goes_through_a_tunnel_and_trusts_a_private_authority(tmp_path: pathlib.Path) -> None:
    authority = PrivateAuthority(tmp_path)
    with RawServer(authority.serving("models.test", say(ANSWER))) as server, ProxyServer() as proxy:
        base_url = f"https://models.test:{server.port}/v1"
        assert ask(base_url, Outgoing(https=proxy.url, ca_files=(str(authority.file),))) == "Hello"
        assert proxy.requests == [f"CONNECT models.test:{server.port}"]
        assert b"key" not in proxy.heads[0]

        with pytest.raises(ProviderUnreachable):
            ask(base_url, Outgoing(https=proxy.url))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_gets_its_own_credentials_and_nobody_else_does(scheme: str, tmp_path: pathlib.Path) -> None:
    authority = PrivateAuthority(tmp_path)
    credentials = base64.b64encode(b"us er:secret").decode()
    seen: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(ANSWER)

    plain = scheme == "http"
    with (
        RawServer(behave if plain else authority.serving("models.test", behave)) as server,
        ProxyServer(credentials) as proxy,
    ):
        address = proxy.url.replace("http://", "http://us%20er:secret@")
        outgoing = Outgoing(any_scheme=address, ca_files=(str(authority.file),))
        assert ask(f"{scheme}://models.test:{server.port}/v1", outgoing) == "Hello"
        assert credentials.encode() in proxy.heads[0]
        assert plain or credentials.encode() not in seen[0]


def test_a_proxy_that_refuses_is_named_in_the_log_and_not_to_callers(caplog: pytest.LogCaptureFixture) -> None:
    with ProxyServer("other") as proxy:
        with pytest.raises(ProviderUnreachable) as raised:
            ask("https://models.test:1/v1", Outgoing(https=proxy.url))
        assert f"the proxy 127.0.0.1:{proxy.port} answered 407" in caplog.text
    assert "127.0.0.1" not in raised.value.message


def test_a_proxy_of_another_kind_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ProviderUnreachable):
        ask("https://models.test/v1", Outgoing(any_scheme="socks5://127.0.0.1:1"))

    assert "ALL_PROXY must be a proxy's URL that begins with http://; socks5:// is not supported" in caplog.text


def test_this_machine_is_asked_without_a_proxy() -> None:
    with ScriptedModel() as server, ProxyServer() as proxy:
        for host in ("127.0.0.1", "localhost"):
            outgoing = Outgoing(http=proxy.url, any_scheme=proxy.url)
            assert ask(f"http://{host}:{server.port}/v1", outgoing) == "tok0 tok1 tok2"
        assert proxy.connections == 0


def redirect(location: str, status: int = 308) -> bytes:
    return f"HTTP/1.1 {status} There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_within_the_server_is_followed_with_key_and_body(status: int) -> None:
    seen: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        for reply in (redirect("/api/v1/chat/completions?x=1", status), ANSWER):
            seen.append(read_request(connection))
            connection.sendall(reply)

    with RawServer(behave) as server:
        assert ask(server.base_url) == "Hello"
    assert seen[1].startswith(b"POST /api/v1/chat/completions?x=1 HTTP/1.1\r\n")
    assert b"Bearer key" in seen[1]
    assert seen[0].partition(b"\r\n\r\n")[2] == seen[1].partition(b"\r\n\r\n")[2] != b""


@pytest.mark.parametrize(
    ("location", "status"),
    [("https://127.0.0.1/v1", 308), ("http://other.test/v1", 302), ("//other.test/", 301), ("/v1/chat", 303)],
)
def test_a_redirect_elsewhere_is_refused_with_its_cause(
    location: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with RawServer(say(redirect(location, status))) as server, pytest.raises(ProviderProtocolError) as raised:
        ask(server.base_url)

    assert "redirect not followed: model server 127.0.0.1" in caplog.text
    assert "other.test" not in raised.value.message


def test_a_server_that_redirects_for_ever_is_left(caplog: pytest.LogCaptureFixture) -> None:
    with RawServer(say(redirect("/v1/chat/completions"))) as server, pytest.raises(ProviderProtocolError):
        ask(server.base_url)

    assert "redirects more than 3 times" in caplog.text


CONTENT = frame("Hel") + frame("lo") + frame("", "stop") + DONE
BARE = zlib.compressobj(wbits=-15)
DEFLATED = BARE.compress(CONTENT) + BARE.flush()


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", gzip.compress(CONTENT)),
        ("x-gzip", gzip.compress(CONTENT)),
        ("deflate", zlib.compress(CONTENT)),
        ("deflate", DEFLATED),
        ("identity", CONTENT),
        ("UTF-8", CONTENT),
    ],
)
def test_a_compressed_answer_is_read_in_pieces_of_any_size(coding: str, content: bytes) -> None:
    head = CHUNKED.replace(b"\r\n\r\n", f"\r\nContent-Encoding: {coding}\r\n\r\n".encode())
    pieces = [content[start : start + 7] for start in range(0, len(content), 7)]
    with RawServer(say(head + chunked(*pieces) + LAST)) as server:
        assert ask(server.base_url) == "Hello"
        assert ask(server.base_url) == "Hello"


def test_a_compressed_answer_streams() -> None:
    compressor = zlib.compressobj(wbits=31)
    pieces = [compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH) for part in (frame("Hel"), frame("lo"))]
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    with RawServer(say(head + chunked(pieces[0]), chunked(pieces[1]))) as server:
        chunks = ChatModel(Endpoint(server.base_url), "tiny").stream(QUESTION, {})
        assert next(chunks).text.startswith("Hel")
        chunks.close()


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip"])
def test_a_coding_that_nobody_asked_for_is_refused_with_its_cause(
    coding: str, caplog: pytest.LogCaptureFixture
) -> None:
    head = HEAD.replace(b"\r\n", f"\r\nContent-Encoding: {coding}\r\n".encode(), 1) + b"\r\n"
    with RawServer(say_and_close(head + b"\x8b\x00")) as server, pytest.raises(ProviderProtocolError):
        ask(server.base_url)

    assert f"sent Content-Encoding '{coding}', unasked" in caplog.text


def test_content_that_swells_without_end_is_refused() -> None:
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    body = chunked(gzip.compress(bytes(50_000_000)))
    with RawServer(say(head + body)) as server, pytest.raises(ProviderProtocolError):
        ask(server.base_url)


def test_an_answer_that_is_none_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in with token=abcdef123</html>"
    with RawServer(say_and_close(page)) as server, pytest.raises(ProviderError) as raised:
        ask(server.base_url)

    assert "what came begins: <html>Log in with ***" in caplog.text
    assert raised.value.message == "The model's answer was cut off or could not be read."

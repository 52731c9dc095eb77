"""The guarded client behind a proxy: what it leaves to the proxy, and what it refuses all the same."""

import pathlib

import pytest

from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.fetch.request_gate import FetchFailed, FetchRefused
from app.providers.http.outgoing import Outgoing
from tests.support.guarded import OK, QUICK, answers, fetch, recorded, redirect
from tests.support.proxy_server import ProxyServer
from tests.support.raw_server import RawServer, say
from tests.support.secure_server import PrivateAuthority


def behind(proxy: ProxyServer, *trusted: str, ca_file: str = "", direct: str = "") -> GuardedHttp:
    outgoing = Outgoing(http=proxy.url, https=proxy.url, direct=direct, ca_files=(ca_file,) if ca_file else ())
    return GuardedHttp(AllowedAddresses(trusted), outgoing)


@pytest.fixture
def unknown_names(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, lambda host: None)


@pytest.mark.usefixtures("unknown_names")
def test_a_name_that_only_the_proxy_knows_is_asked_for_by_its_whole_url() -> None:
    requests: list[bytes] = []
    with RawServer(recorded(requests, OK)) as server, ProxyServer() as proxy:
        assert fetch(behind(proxy), f"http://files.test:{server.port}/a?b=c") == b"hello"
        assert proxy.requests == [f"GET http://files.test:{server.port}/a?b=c"]
        assert f"\r\nHost: files.test:{server.port}\r\n".encode() in requests[0]


@pytest.mark.usefixtures("unknown_names")
def test_tls_goes_through_a_tunnel(tmp_path: pathlib.Path) -> None:
    authority = PrivateAuthority(tmp_path)
    with RawServer(authority.serving("files.test", say(OK))) as server, ProxyServer() as proxy:
        http = behind(proxy, ca_file=str(authority.file))
        assert fetch(http, f"https://files.test:{server.port}/") == b"hello"
        assert proxy.requests == [f"CONNECT files.test:{server.port}"]


@pytest.mark.usefixtures("unknown_names")
def test_the_proxys_credentials_go_to_the_proxy_alone() -> None:
    requests: list[bytes] = []
    with ProxyServer("dTpw") as proxy, RawServer(recorded(requests, OK)) as other:
        outgoing = Outgoing(http=proxy.url.replace("//", "//u:p@"), direct="direct.test")
        http = GuardedHttp(AllowedAddresses([f"127.0.0.1:{other.port}"]), outgoing)
        with RawServer(recorded([], redirect(f"http://127.0.0.1:{other.port}/"))) as server:
            assert fetch(http, f"http://files.test:{server.port}/") == b"hello"
        assert b"Proxy-Authorization: Basic dTpw" in proxy.heads[0]
    assert b"Proxy-Authorization" not in requests[0]


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/",
        "http://10.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.0.0.1:8000/",
        "http://localhost/",
        "https://[fd00:ec2::254]/",
        "http://metadata.google.internal/",
        "http://intranet/",
        "http://printer.local/",
        "http://files.test:22/",
    ],
)
@pytest.mark.usefixtures("unknown_names")
def test_no_proxy_is_asked_for_inner_networks(address: str) -> None:
    with ProxyServer() as proxy:
        with pytest.raises(FetchFailed):
            fetch(behind(proxy), address)
        assert proxy.requests == []


def test_a_name_of_which_one_address_is_inner_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, lambda host: ["93.184.216.34", "10.0.0.1"])
    with ProxyServer() as proxy:
        with pytest.raises(FetchRefused):
            fetch(behind(proxy), "http://files.test/")
        assert proxy.connections == 0


@pytest.mark.usefixtures("unknown_names")
def test_a_trusted_name_may_be_an_inner_one() -> None:
    with RawServer(say(OK)) as server, ProxyServer() as proxy:
        assert fetch(behind(proxy, "intranet"), f"http://intranet:{server.port}/", limits=QUICK) == b"hello"


def test_what_no_proxy_names_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, lambda host: ["127.0.0.1"])
    with RawServer(say(OK)) as server, ProxyServer() as proxy:
        http = behind(proxy, "inner.test", direct=".inner.test")
        assert fetch(http, f"http://inner.test:{server.port}/", limits=QUICK) == b"hello"
        assert proxy.connections == 0


def test_a_proxy_that_cannot_be_used_is_a_failure() -> None:
    http = GuardedHttp(outgoing=Outgoing(any_scheme="socks5://127.0.0.1:1"))
    with pytest.raises(FetchFailed):
        fetch(http, "http://files.test/")

"""Which requests go through which proxy."""

import base64

import pytest

from app.providers.http.outgoing import Outgoing, Proxy, UnusableProxy, is_this_machine, parse_proxy, tls_context

A, B, C = "http://a.test:3128", "http://b.test:3128", "http://c.test:3128"


def ways(direct: str = "") -> Outgoing:
    return Outgoing(http=A, https=B, direct=direct)


@pytest.mark.parametrize(
    ("outgoing", "secure", "proxy"),
    [
        (Outgoing(), True, None),
        (Outgoing(http=A, https=B, any_scheme=C), False, "a.test"),
        (Outgoing(http=A, https=B, any_scheme=C), True, "b.test"),
        (Outgoing(http=A), True, None),
        (Outgoing(https=B), False, None),
        (Outgoing(any_scheme=C), False, "c.test"),
        (Outgoing(any_scheme=C), True, "c.test"),
        (Outgoing(http=A, any_scheme=C), True, "c.test"),
    ],
)
def test_each_scheme_has_its_proxy_and_all_proxy_is_for_the_rest(
    outgoing: Outgoing, secure: bool, proxy: str | None
) -> None:
    found = outgoing.proxy_for("models.test", 80, secure)

    assert (found and found.host) == proxy


@pytest.mark.parametrize(
    ("direct", "host", "port", "goes_direct"),
    [
        ("*", "models.test", 443, True),
        ("models.test", "models.test", 443, True),
        ("models.test", "MODELS.test.", 443, True),
        ("models.test", "eu.models.test", 443, True),
        ("models.test", "notmodels.test", 443, False),
        (".models.test", "eu.models.test", 443, True),
        (".models.test", "models.test", 443, True),
        ("*.models.test", "eu.models.test", 443, True),
        ("models.test:8443", "models.test", 443, False),
        ("models.test:8443", "models.test", 8443, True),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, False),
        ("10.0.0.0/8", "10.test", 80, False),
        ("10.1.2.3", "10.1.2.3", 80, True),
        ("10.1.2.3:81", "10.1.2.3", 80, False),
        ("10.1.2.3:80", "10.1.2.3", 80, True),
        ("fd00::/8", "fd12::1", 80, True),
        ("fd12::1", "fd12:0::1", 80, True),
        ("[fd12::1]:80", "fd12::1", 80, True),
        ("[fd12::1]:81", "fd12::1", 80, False),
        ("one.test, two.test", "two.test", 80, True),
        ("one.test two.test", "two.test", 80, True),
        ("", "models.test", 80, False),
        (",", "models.test", 80, False),
        ("test", "models.test", 80, True),
        ("models", "models.test", 80, False),
    ],
)
def test_no_proxy_names_hosts_suffixes_networks_and_ports(direct: str, host: str, port: int, goes_direct: bool) -> None:
    assert (ways(direct).proxy_for(host, port, True) is None) is goes_direct


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::ffff:127.0.0.1"]
)
def test_this_machine_is_asked_directly(host: str) -> None:
    assert is_this_machine(host)
    assert ways().proxy_for(host, 80, False) is None
    assert not is_this_machine("localhost.test")


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy.test:3128", Proxy("proxy.test", 3128)),
        ("http://proxy.test:3128/", Proxy("proxy.test", 3128)),
        ("proxy.test:3128", Proxy("proxy.test", 3128)),
        ("http://proxy.test", Proxy("proxy.test", 80)),
        ("http://[fd12::1]:3128", Proxy("fd12::1", 3128)),
        (
            "http://us%40er:p%3Ass@proxy.test:3128",
            Proxy("proxy.test", 3128, f"Basic {base64.b64encode(b'us@er:p:ss').decode()}"),
        ),
    ],
)
def test_a_proxy_is_named_by_its_url(url: str, proxy: Proxy) -> None:
    assert parse_proxy(url) == proxy


def test_credentials_are_not_shown() -> None:
    assert "Basic" not in repr(parse_proxy("http://user:pass@proxy.test"))


@pytest.mark.parametrize(
    "url", ["socks5://proxy.test:1080", "https://proxy.test", "http://", "http://x:99999", "http://a b"]
)
def test_other_proxies_are_refused_only_where_they_are_needed(url: str) -> None:
    outgoing = Outgoing(any_scheme=url, direct="inner.test")

    assert outgoing.proxy_for("127.0.0.1", 80, False) is None
    assert outgoing.proxy_for("inner.test", 80, False) is None
    with pytest.raises(UnusableProxy, match="^ALL_PROXY must be a proxy's URL"):
        outgoing.proxy_for("models.test", 80, False)


def test_libraries_get_the_url_of_the_proxy() -> None:
    assert ways("inner.test").proxy_url("https://models.test/x") == B
    assert ways("inner.test").proxy_url("http://inner.test/x") == ""
    assert Outgoing(any_scheme="proxy.test:1").proxy_url("http://models.test") == "http://proxy.test:1"


def test_a_file_without_certificates_cannot_be_used(tmp_path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(OSError):
            tls_context((str(tmp_path / name),))

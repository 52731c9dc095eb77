"""Guarded requests: which are sent and which are refused, redirects included."""

from typing import Any

import pytest

from app.providers.fetch.guarded_http import GuardedHttp, Limits
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.fetch.request_gate import FetchFailed, FetchRefused
from tests.support.guarded import OK, answers, fetch, for_ever, recorded, redirect, trusting, url
from tests.support.raw_server import RawServer, say, say_and_close


class TestWhatIsAsked:
    def test_an_answer_has_status_headers_and_content(self) -> None:
        with RawServer(say(OK)) as server, trusting(server).request("GET", url(server)) as answer:
            assert (answer.status, answer.headers["content-type"], answer.announced_size()) == (200, "text/plain", 5)
            assert (answer.url, answer.read()) == (url(server), b"hello")

    def test_an_error_is_an_answer_too(self) -> None:
        with (
            RawServer(say(b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")) as server,
            trusting(server).request("GET", url(server)) as answer,
        ):
            assert (answer.status, answer.read()) == (404, b"no")

    def test_method_headers_parameters_and_body_are_sent(self) -> None:
        requests: list[bytes] = []
        given: dict[str, Any] = {
            "headers": {"X-Kind": "test"},
            "params": [("y", "2"), ("y", "3")],
            "data": b"body",
        }
        with (
            RawServer(recorded(requests, OK)) as server,
            trusting(server).request("PATCH", url(server, "/a?x=1"), **given) as answer,
        ):
            answer.read()
        assert requests[0].startswith(b"PATCH /a?x=1&y=2&y=3 HTTP/1.1\r\n")
        assert b"X-Kind: test\r\n" in requests[0] and requests[0].endswith(b"\r\n\r\nbody")

    def test_files_are_sent_as_a_form(self) -> None:
        requests: list[bytes] = []
        with RawServer(recorded(requests, OK)) as server:
            fields = [("kind", "a")]
            files: list[tuple[str, tuple[str | None, bytes, str]]] = [("file", ("a.txt", b"content", "text/plain"))]
            trusting(server).request("POST", url(server), data=fields, files=files).close()
        assert b'name="kind"' in requests[0] and b'filename="a.txt"' in requests[0] and b"content" in requests[0]

    def test_proxies_and_passwords_of_this_machine_are_left_alone(self, monkeypatch, tmp_path) -> None:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
        (tmp_path / "netrc").chmod(0o600)
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        requests: list[bytes] = []
        with RawServer(recorded(requests, OK)) as server:
            assert fetch(trusting(server), url(server)) == b"hello"
        assert b"authorization" not in requests[0].lower()

    def test_no_cookie_is_kept(self) -> None:
        requests: list[bytes] = []
        answer = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")
        with RawServer(recorded(requests, answer)) as server:
            http = trusting(server)
            fetch(http, url(server))
            fetch(http, url(server))
        assert b"cookie" not in requests[1].lower()


class TestAddresses:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "localhost",
            "localhost.",
            "LOCALHOST",
            "127.1",
            "0",
            "0.0.0.0",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "①②⑦.⓪.⓪.①",
            "127。0。0。1",
            "%31%32%37.0.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
        ],
    )
    def test_this_machine_is_not_asked_by_any_of_its_names(self, host: str) -> None:
        with RawServer(say(OK)) as server:
            with pytest.raises(FetchFailed):
                GuardedHttp().request("GET", f"http://{host}:{server.port}/")
            assert server.connections == 0

    @pytest.mark.parametrize(
        "address",
        [
            "http://169.254.169.254/latest/meta-data/",
            "http://10.0.0.1/",
            "http://192.168.0.1/",
            "http://172.16.0.1/",
            "http://100.100.100.200/",
            "http://168.63.129.16/",
            "http://[fd00:ec2::254]/",
            "http://[fe80::1]/",
            "http://[fe80::1%25lo]/",
            "http://[2002:a9fe:a9fe::]/",
            "http://255.255.255.255/",
            "http://224.0.0.1/",
            "http://8.8.8.8:25/",
            "http://0.0.0.0/",
        ],
    )
    def test_inner_networks_and_metadata_are_refused(self, address: str) -> None:
        with pytest.raises(FetchRefused):
            GuardedHttp().request("GET", address)

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "x",
            "//127.0.0.1/",
            "/etc/passwd",
            "file:///etc/passwd",
            "ftp://8.8.8.8/",
            "gopher://8.8.8.8/",
            "dict://8.8.8.8:11211/",
            "data:text/plain,x",
            "unix:///var/run/docker.sock",
            "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
            "http://",
            "http:///path",
            "http://:80/",
            "http://8.8.8.8:0/",
            "http://8.8.8.8:99999/",
            "http://8.8.8.8:x/",
            "http://user@8.8.8.8/",
            "http://user:word@8.8.8.8/",
            "http://@8.8.8.8/",
            "http://8.8.8.8\\@127.0.0.1/",
            "http://8.8.8.8/\r\nHost: evil",
            "http://8.8.8.8/\t",
            "http://8.8.8.8 /",
            "http://8.8.8.8/\x00",
            "http://[::1/",
            f"http://{'a' * 64}.example/",
            f"http://8.8.8.8/{'a' * 9000}",
            "http://a..b/",
            "http://\u3000.example/",
        ],
    )
    def test_what_is_no_plain_web_address_is_refused(self, address: str) -> None:
        with pytest.raises(FetchRefused):
            GuardedHttp().request("GET", address)

    @pytest.mark.parametrize("method", ["GET /secret HTTP/1.1\r\nX: ", "", "G T"])
    def test_an_invalid_method_is_refused(self, method: str) -> None:
        with RawServer(say(OK)) as server, pytest.raises(FetchFailed):
            trusting(server).request(method, url(server))

    @pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\r\nY": "a"}, {"X": "\u4e16"}])
    def test_headers_that_are_none_are_refused(self, headers: dict[str, str]) -> None:
        with RawServer(say(OK)) as server, pytest.raises(FetchFailed):
            trusting(server).request("GET", url(server), headers=headers)

    def test_an_unknown_host_name_fails(self, monkeypatch) -> None:
        answers(monkeypatch, lambda host: None)
        with pytest.raises(FetchFailed):
            GuardedHttp().request("GET", "http://nowhere.test/")


class TestNames:
    def test_a_name_with_an_inner_address_is_refused(self, monkeypatch) -> None:
        answers(monkeypatch, lambda host: ["127.0.0.1"])
        with RawServer(say(OK)) as server:
            with pytest.raises(FetchRefused):
                GuardedHttp().request("GET", f"http://rebind.test:{server.port}/")
            assert server.connections == 0

    def test_of_several_addresses_only_allowed_ones_are_tried(self, monkeypatch) -> None:
        answers(monkeypatch, lambda host: ["127.0.0.1", "127.0.0.2"])
        with RawServer(say(OK), host="127.0.0.2") as outside, RawServer(say(OK), port=outside.port) as inside:
            http = GuardedHttp(AllowedAddresses(["127.0.0.2"]))
            assert fetch(http, f"http://mixed.test:{outside.port}/") == b"hello"
            assert inside.connections == 0

    def test_the_connection_goes_to_the_address_that_was_checked(self, monkeypatch) -> None:
        """A name server that answers differently a moment later gains nothing: it is asked once."""
        turns = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"], ["127.0.0.1"]])
        answers(monkeypatch, lambda host: next(turns))
        with RawServer(say(OK), host="127.0.0.2") as outside, RawServer(say(OK), port=outside.port) as inside:
            http = GuardedHttp(AllowedAddresses(["127.0.0.2"]))
            assert fetch(http, f"http://rebind.test:{outside.port}/") == b"hello"
            assert (outside.connections, inside.connections) == (1, 0)
            with pytest.raises(FetchRefused):
                http.request("GET", f"http://rebind.test:{outside.port}/")
            assert inside.connections == 0

    def test_each_redirect_looks_the_name_up_and_checks_it_again(self, monkeypatch) -> None:
        turns = iter([["127.0.0.2"], ["127.0.0.1"]])
        answers(monkeypatch, lambda host: next(turns))
        with (
            RawServer(say_and_close(redirect("/again")), host="127.0.0.2") as outside,
            RawServer(say(OK), port=outside.port) as inside,
        ):
            with pytest.raises(FetchRefused):
                GuardedHttp(AllowedAddresses(["127.0.0.2"])).request("GET", f"http://rebind.test:{outside.port}/")
            assert inside.connections == 0

    def test_the_host_header_keeps_the_name(self, monkeypatch) -> None:
        answers(monkeypatch, lambda host: ["127.0.0.1"])
        requests: list[bytes] = []
        with RawServer(recorded(requests, OK)) as server:
            fetch(GuardedHttp(AllowedAddresses(["named.test"])), f"http://named.test:{server.port}/")
            assert f"Host: named.test:{server.port}\r\n".encode() in requests[0]


class TestRedirects:
    def test_a_redirect_is_followed(self) -> None:
        with (
            RawServer(say_and_close(redirect("/there")), say(OK)) as server,
            trusting(server).request("GET", url(server)) as answer,
        ):
            assert (answer.url, answer.read()) == (url(server, "/there"), b"hello")

    @pytest.mark.parametrize(
        "location",
        ["http://127.0.0.1:{}/", "//127.0.0.1:{}/", "http://[::ffff:127.0.0.1]:{}/", "http://2130706433:{}/"],
    )
    def test_a_redirect_to_the_inside_is_refused(self, location: str) -> None:
        with RawServer(say(OK)) as inside, RawServer(say(redirect(location.format(inside.port)))) as outside:
            with pytest.raises(FetchRefused):
                trusting(outside).request("GET", url(outside))
            assert inside.connections == 0

    @pytest.mark.parametrize(
        "location",
        ["file:///etc/passwd", "gopher://8.8.8.8/", "http://user:word@8.8.8.8/", "http://8.8.8.8:25/", "http://["],
    )
    def test_a_redirect_to_what_is_no_plain_web_address_is_refused(self, location: str) -> None:
        with RawServer(say(redirect(location))) as server, pytest.raises(FetchRefused):
            trusting(server).request("GET", url(server))

    def test_redirects_for_ever_come_to_an_end(self) -> None:
        with RawServer(say_and_close(redirect("/again"))) as server:
            with pytest.raises(FetchFailed, match="redirects too often"):
                trusting(server).request("GET", url(server), limits=Limits(redirects=3))
            assert server.connections == 4

    def test_a_redirect_with_an_endless_body_is_followed_at_once(self) -> None:
        head = b"HTTP/1.1 302 Elsewhere\r\nLocation: /there\r\n\r\n"
        with RawServer(for_ever(head, b"x" * 65_536), say(OK)) as server:
            assert fetch(trusting(server), url(server)) == b"hello"

    def test_without_redirects_the_redirect_is_the_answer(self) -> None:
        with (
            RawServer(say(redirect("/there"))) as server,
            trusting(server).request("GET", url(server), limits=Limits(redirects=0)) as answer,
        ):
            assert (answer.status, answer.headers["location"]) == (302, "/there")

    @pytest.mark.parametrize(
        ("status", "request_line"), [(301, b"GET"), (302, b"GET"), (303, b"GET"), (307, b"POST"), (308, b"POST")]
    )
    def test_a_body_is_sent_again_only_where_the_status_says_so(self, status: int, request_line: bytes) -> None:
        requests: list[bytes] = []
        with RawServer(say_and_close(redirect("/there", status)), recorded(requests, OK)) as server:
            trusting(server).request("POST", url(server), data=b"secret").close()
        assert requests[0].startswith(request_line + b" /there")
        assert (b"secret" in requests[0]) == (request_line == b"POST")

    def test_keys_stay_with_the_server_they_are_for(self) -> None:
        requests: list[bytes] = []
        headers = {"Authorization": "Bearer k", "X-Api-Key": "k", "Cookie": "k=1", "Accept": "text/plain"}
        with RawServer(recorded(requests, OK)) as other, RawServer(say(redirect(url(other)))) as asked:
            fetch(trusting(other, asked), url(asked), headers=headers)
        head = requests[0].lower()
        assert b"accept: text/plain" in head
        assert not any(name in head for name in (b"authorization", b"x-api-key", b"cookie"))

    def test_keys_go_along_within_one_server(self) -> None:
        requests: list[bytes] = []
        with RawServer(say_and_close(redirect("/there")), recorded(requests, OK)) as server:
            fetch(trusting(server), url(server), headers={"X-Api-Key": "k"})
        assert b"X-Api-Key: k" in requests[0]

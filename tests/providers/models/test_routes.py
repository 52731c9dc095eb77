import pathlib
from collections.abc import Iterator

import pytest

from app.errors import ProviderNotInitialize
from app.providers.models.routes import ModelRoutes
from app.providers.operator_files import InvalidOperatorFile
from tests.support.proxy_server import ProxyServer
from tests.support.raw_server import QUESTION, RawServer, say_and_close
from tests.support.scripted_model import ScriptedModel
from tests.support.secure_server import PrivateAuthority

FILE = """
endpoints:
  open: {base_url: $OPEN_URL}
  locked: {base_url: https://api.example.com/v1, api_key: $LOCKED_KEY}
models:
  - {provider: openai, name: text-small, kind: embedding, endpoint: open}
  - {provider: openai, name: instruct, kind: completion, endpoint: open}
  - {provider: openai, name: locked, endpoint: locked}
  - {provider: openai, name: "gpt-*", endpoint: open, remote_name: smollm, context: 4096}
  - {provider: openai, name: gpt-4, endpoint: locked}
  - {provider: "*", name: talker, kind: chat, endpoint: open}
"""
DEFAULT = "default:\n  chat: {endpoint: open, remote_name: fallback}\n"


@pytest.fixture
def server() -> Iterator[ScriptedModel]:
    with ScriptedModel() as started:
        yield started


def routes_of(folder: pathlib.Path, text: str, **environ: str) -> ModelRoutes:
    path = folder / "models.yml"
    path.write_text(text)
    return ModelRoutes.from_settings(str(path), "http://unused.test", "unused", "unused", environ, context=8_000)


@pytest.mark.parametrize(
    ("name", "mode", "sent", "path", "context"),
    [
        ("gpt-4", "chat", "smollm", "/v1/chat/completions", 4_096),
        ("gpt-4", "completion", "smollm", "/v1/completions", 4_096),
        ("instruct", "chat", "instruct", "/v1/completions", 8_000),
        ("talker", "completion", "talker", "/v1/chat/completions", 8_000),
        ("unknown", "chat", "fallback", "/v1/chat/completions", 8_000),
        ("unknown", "completion", "fallback", "/v1/completions", 8_000),
        ("text-small", "chat", "fallback", "/v1/chat/completions", 8_000),
    ],
)
def test_the_first_line_that_fits_is_used(
    tmp_path: pathlib.Path, server: ScriptedModel, name: str, mode: str, sent: str, path: str, context: int
) -> None:
    routes = routes_of(tmp_path, FILE + DEFAULT, OPEN_URL=server.base_url)

    model = routes.chat_model("langgenius/openai/openai", name, mode)
    model.complete(QUESTION, {})

    assert (server.requests[0].body["model"], server.requests[0].path, model.context) == (sent, path, context)


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("unknown", {"OPEN_URL": "http://x"}),
        ("locked", {}),
        ("locked", {"LOCKED_KEY": " "}),
        ("locked", {"LOCKED_KEY": "a\nHost: b"}),
        ("gpt-3", {}),
        ("gpt-3", {"OPEN_URL": "nonsense"}),
    ],
)
def test_no_route_and_no_key_are_not_initialized(tmp_path: pathlib.Path, name: str, environ: dict[str, str]) -> None:
    with pytest.raises(ProviderNotInitialize):
        routes_of(tmp_path, FILE, **environ).chat_model("openai", name)


def test_models_of_one_endpoint_share_its_connections(tmp_path: pathlib.Path, server: ScriptedModel) -> None:
    routes = routes_of(tmp_path, FILE, OPEN_URL=server.base_url)

    assert routes.endpoint("open") is routes.endpoint("open")


@pytest.mark.parametrize(("model_name", "sent"), [("", "gpt-4"), ("smollm", "smollm")])
def test_without_a_file_one_server_answers_for_everything(server: ScriptedModel, model_name: str, sent: str) -> None:
    routes = ModelRoutes.from_settings("", server.base_url, "key", model_name, {})

    routes.chat_model("any/one/at-all", "gpt-4").complete(QUESTION, {})
    routes.chat_model("any/one/at-all", "gpt-4", "completion").complete(QUESTION, {})

    assert [request.body["model"] for request in server.requests] == [sent, sent]
    assert [request.path for request in server.requests] == ["/v1/chat/completions", "/v1/completions"]
    assert server.requests[0].headers["authorization"] == "Bearer key"


def test_without_a_file_a_server_needs_no_key(server: ScriptedModel) -> None:
    ModelRoutes.from_settings("", server.base_url, "", "", {}).chat_model("openai", "gpt-4").complete(QUESTION, {})

    assert "authorization" not in server.requests[0].headers


def test_without_file_and_server_there_is_no_route() -> None:
    routes = ModelRoutes.from_settings("", "", "", "", {})

    assert routes.describe() == []
    with pytest.raises(ProviderNotInitialize):
        routes.chat_model("openai", "gpt-4")


def test_an_invalid_base_url_is_reported() -> None:
    with pytest.raises(InvalidOperatorFile, match="OPENAI_BASE_URL must be a URL"):
        ModelRoutes.from_settings("", "localhost:8080", "", "", {})


def test_the_table_is_described_without_keys(tmp_path: pathlib.Path) -> None:
    routes = routes_of(tmp_path, FILE + DEFAULT, LOCKED_KEY="sk-secret")

    lines = routes.describe()

    assert [(line.name, line.kind, line.remote_name) for line in lines] == [
        ("text-small", "embedding", "text-small"),
        ("instruct", "completion", "instruct"),
        ("locked", "chat", "locked"),
        ("gpt-*", "chat", "smollm"),
        ("gpt-4", "chat", "gpt-4"),
        ("talker", "chat", "talker"),
        ("*", "chat", "fallback"),
    ]
    assert lines[0].problem == "OPEN_URL is not set"
    assert lines[2].problem == ""
    assert lines[2].base_url == "https://api.example.com/v1"
    assert "sk-secret" not in repr(lines)


def test_an_endpoint_has_its_own_proxy_authority_and_limits(tmp_path: pathlib.Path, server: ScriptedModel) -> None:
    authority = PrivateAuthority(tmp_path)
    file = """
endpoints:
  partner: {base_url: $PARTNER_URL, proxy: $PARTNER_PROXY, ca_file: authority.pem, max_concurrency: 1, retries: 0}
  plain: {base_url: $PLAIN_URL, proxy: direct}
default:
  chat: {endpoint: partner, remote_name: big, fallbacks: [plain/small]}
"""
    refusal = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
    with ProxyServer() as proxy, RawServer(authority.serving("partner.test", say_and_close(refusal))) as partner:
        environ = {
            "PARTNER_URL": f"https://partner.test:{partner.port}/v1",
            "PARTNER_PROXY": proxy.url,
            "PLAIN_URL": server.base_url,
        }
        assert routes_of(tmp_path, file, **environ).chat_model("openai", "gpt-4").complete(QUESTION, {})[0]
        assert proxy.requests == [f"CONNECT partner.test:{partner.port}"]
        assert partner.connections == 1
    assert server.requests[0].body["model"] == "small"


@pytest.mark.parametrize(
    ("environ", "problem"),
    [({}, "THE_PROXY is not set"), ({"THE_PROXY": "socks5://x"}, "$THE_PROXY must be a proxy's")],
)
def test_a_proxy_in_a_variable_that_cannot_be_used_is_told(
    tmp_path: pathlib.Path, environ: dict[str, str], problem: str
) -> None:
    file = "endpoints: {a: {base_url: http://a.test/v1, proxy: $THE_PROXY}}\ndefault: {chat: {endpoint: a}}\n"
    routes = routes_of(tmp_path, file, **environ)

    assert routes.describe()[0].problem.startswith(problem)
    with pytest.raises(ProviderNotInitialize):
        routes.chat_model("openai", "gpt-4")

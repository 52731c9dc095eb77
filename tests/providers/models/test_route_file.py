import pathlib

import pytest

from app.providers.models.route_file import ModelEntry, read_route_file, split_fallback
from app.providers.operator_files import InvalidOperatorFile

GOOD = """
endpoints:
  local: {base_url: http://127.0.0.1:8080/v1}
  big: {base_url: $BIG_URL, api_key: "${BIG_KEY}"}
models:
  - {provider: openai, name: "gpt-4*", endpoint: big, context: 128000, pass_through: [top_k]}
default:
  chat: {endpoint: local, remote_name: smollm}
"""


def write(folder: pathlib.Path, text: str) -> pathlib.Path:
    path = folder / "models.yml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_read(tmp_path: pathlib.Path) -> None:
    routes = read_route_file(write(tmp_path, GOOD))

    assert routes.endpoints["local"].api_key is None
    assert routes.models[0].context == 128_000
    assert routes.default.chat is not None and routes.default.chat.remote_name == "smollm"
    assert routes.default.speech is None


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('api_key: "${BIG_KEY}"', "api_key: sk-secret", "line 4: endpoints.big.api_key: must name a variable"),
        ("http://127.0.0.1:8080/v1", "127.0.0.1:8080", "line 3: endpoints.local.base_url: must be a URL"),
        ("http://127.0.0.1:8080/v1", "http://me:secret@host/v1", "line 3: endpoints.local.base_url: must be a URL"),
        ("http://127.0.0.1:8080/v1", "http://host:99999/v1", "line 3: endpoints.local.base_url: must be a URL"),
        ("context: 128000", "context: many", "line 6: models[0].context: Input should be a valid integer"),
        ("context: 128000", "context: 0", "line 6: models[0].context: Input should be greater than"),
        ("context: 128000", "contxt: 1", "line 6: models[0].contxt: is not known here"),
        ("endpoint: big", "endpoint: huge", "line 6: models[0].endpoint: there is no endpoint 'huge' in this file"),
        (
            "endpoint: local",
            "endpoint: huge",
            "line 8: default.chat.endpoint: there is no endpoint 'huge' in this file",
        ),
        (
            "context: 128000",
            "prices: {input: 1, output: -1}",
            "line 6: models[0].prices.output: Input should be greater",
        ),
        ("context: 128000", "prices: {input: 1}", "line 6: models[0].prices.output: Field required"),
        ("context: 128000", "prices: {input: 1, output: many}", "line 6: models[0].prices.output: Input should be"),
        ("context: 128000", "prices: {input: true, output: 1}", "line 6: models[0].prices.input: must be a number"),
        ("context: 128000", "prices: {input: .nan, output: 1}", "line 6: models[0].prices.input: Input should be"),
        ("context: 128000", "prices: {input: 1, output: 1, unit: 1G}", "line 6: models[0].prices.unit: Input should"),
        ("context: 128000", "prices: {input: 1, output: 1, currency: $}", "line 6: models[0].prices.currency: String"),
        (
            "context: 128000",
            "kind: speech, prices: {input: 1, output: 1}",
            "line 6: models[0].prices: tokens are counted of text models alone",
        ),
        ("provider: openai, ", "", "line 6: models[0].provider: Field required"),
        ("provider: openai", "kind: poetry, provider: openai", "line 6: models[0].kind: Input should be"),
        (
            "/v1}",
            "/v1, proxy: 'socks5://u:secret@p:1'}",
            "line 3: endpoints.local.proxy: must be a proxy's URL that begins",
        ),
        ("/v1}", "/v1, proxy: 'http://u:secret@'}", "line 3: endpoints.local.proxy: must be a proxy's URL such as"),
        ("/v1}", "/v1, ca_file: none.pem}", "line 3: endpoints.local.ca_file: cannot be used: No such file"),
        ("/v1}", "/v1, ca_file: models.yml}", "line 3: endpoints.local.ca_file: cannot be used: "),
        ("/v1}", "/v1, max_concurrency: 0}", "line 3: endpoints.local.max_concurrency: Input should be greater"),
        ("/v1}", "/v1, retries: -1}", "line 3: endpoints.local.retries: Input should be greater"),
        (
            "/v1}",
            "/v1, fallbacks: [big/gpt-4, bigger]}",
            "line 3: endpoints.local.fallbacks[1]: must be endpoint/model with an endpoint of this file, not 'bigger'",
        ),
        ("smollm}", "smollm, fallbacks: [x/y]}", "line 8: default.chat.fallbacks[0]: must be endpoint/model"),
        ("models:", "models: [", "line 6: is not valid YAML"),
        (GOOD, "", "endpoints: Field required"),
        (GOOD, "a: \x00", "is not valid YAML"),
        (GOOD, "models: []", "line 1: endpoints: Field required"),
    ],
)
def test_a_bad_file_is_told_in_one_line_with_its_name_and_the_place(
    tmp_path: pathlib.Path, old: str, new: str, complaint: str
) -> None:
    path = write(tmp_path, GOOD.replace(old, new))

    with pytest.raises(InvalidOperatorFile) as raised:
        read_route_file(path)

    text = str(raised.value)
    assert text.startswith(f"{path}:")
    assert complaint in text
    assert "\n" not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("fallback", "place"),
    [
        ("a/gpt", ("a", "gpt")),
        ("a", ("a", "")),
        ("a/b/org/gpt", ("a/b", "org/gpt")),
        ("a/c/gpt", ("a", "c/gpt")),
        ("ab/gpt", None),
        ("", None),
    ],
)
def test_a_fallback_is_an_endpoint_and_a_model(fallback: str, place: tuple[str, str] | None) -> None:
    assert split_fallback(fallback, ["a", "a/b"]) == place


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InvalidOperatorFile, match="cannot be read: No such file"):
        read_route_file(tmp_path / "none.yml")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(InvalidOperatorFile, match="is not UTF-8"):
        read_route_file(tmp_path / "bytes")


@pytest.mark.parametrize(
    ("wanted", "given", "fits"),
    [
        ("openai", "openai", True),
        ("openai", "langgenius/openai/openai", True),
        ("langgenius/openai/openai", "openai", True),
        ("langgenius/openai/openai", "langgenius/openai/openai", True),
        ("other/openai/openai", "langgenius/openai/openai", False),
        ("*", "anything", True),
        ("openai", "azure_openai", False),
        ("openai", "langgenius/openai/azure", False),
    ],
)
def test_providers_match_by_their_last_part(wanted: str, given: str, fits: bool) -> None:
    assert ModelEntry(provider=wanted, name="*", endpoint="local").fits(given, "gpt", "chat") is fits


@pytest.mark.parametrize(
    ("pattern", "fits"), [("gpt-4o", True), ("gpt-4*", True), ("*", True), ("gpt-4", False), ("GPT-4o", False)]
)
def test_names_may_hold_stars(pattern: str, fits: bool) -> None:
    assert ModelEntry(provider="*", name=pattern, endpoint="local").fits("openai", "gpt-4o", "chat") is fits

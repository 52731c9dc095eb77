"""The tools file."""

import pathlib

import pytest

from app.providers.operator_files import InvalidOperatorFile, UnsetVariable
from app.tools.builtin.search_engines import SearchSettings
from app.tools.tool_file import all_filled, read_tool_file

WHOLE = """
providers:
  weather:
    openapi:
      {description: weather.yaml, base_url: "https://weather.example/v1",
       headers: {X-Key: $KEY}, query: {lang: en}, seconds: 5, megabytes: 2}
  house:
    mcp: {url: "https://tools.example/mcp", headers: {Authorization: "Bearer ${TOKEN}"}}
    icon: https://tools.example/icon.png
  files:
    mcp: {command: [npx, files], environment: {HOME: $HOME}}
    icon: {background: "#fff", content: "📁"}
names:
  - {provider: langgenius/google/google, tool: google_search, use: {provider: house, tool: search}}
"""


def write(tmp_path: pathlib.Path, text: str) -> pathlib.Path:
    path = tmp_path / "tools.yml"
    path.write_text(text)
    return path


def test_a_whole_file_is_read(tmp_path: pathlib.Path) -> None:
    file = read_tool_file(write(tmp_path, WHOLE))
    assert list(file.providers) == ["weather", "house", "files"]
    weather = file.providers["weather"].openapi
    assert weather is not None and (weather.seconds, weather.megabytes) == (5.0, 2)
    assert file.names[0].use.tool == "search"


def test_an_empty_file_names_nothing(tmp_path: pathlib.Path) -> None:
    assert read_tool_file(write(tmp_path, "")).providers == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("providers: [", "is not valid YAML"),
        ("[1]", "the document: "),
        ("providers: {a: {}}", "providers.a: either openapi or mcp must be there"),
        ("providers: {a: {mcp: {}}}", "providers.a.mcp: either url or command must be there"),
        ("providers: {a: {mcp: {url: 'https://x', command: [x]}}}", "providers.a.mcp: either url or command"),
        ("providers: {a: {mcp: {url: 'file:///etc'}}}", "providers.a.mcp.url: "),
        ("providers: {a: {mcp: {command: []}}}", "providers.a.mcp.command: "),
        ("providers: {a: {openapi: {description: x, key: y}}}", "providers.a.openapi.key: is not known here"),
        ("providers: {a: {openapi: {description: x, seconds: 0}}}", "providers.a.openapi.seconds: "),
        ("names: [{provider: a, tool: b}]", "names[0].use: "),
        ("names: [{provider: a, tool: b, use: {}}]", "names[0].use: either provider and tool or app must be there"),
        ("names: [{provider: a, tool: b, use: {provider: c}}]", "names[0].use: either provider and tool or app"),
        ("search: {}", "search: one of searxng, tavily, brave, serper, google must be there"),
        ("search: {tavily: {key: secret}}", "search.tavily.key: must name a variable of the environment"),
        ("search: {searxng: {url: x}}", "search.searxng.url: "),
        ("search: {google: {key: $K}}", "search.google.site: "),
        ("more: 1", "more: is not known here"),
    ],
)
def test_a_mistake_is_named_by_its_place(tmp_path: pathlib.Path, text: str, problem: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InvalidOperatorFile) as failed:
        read_tool_file(path)
    assert str(failed.value).startswith(f"{path}: line 1: {problem}")


def test_a_file_that_is_not_there_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InvalidOperatorFile, match="cannot be read: No such file"):
        read_tool_file(tmp_path / "none.yml")


def test_values_come_from_the_environment() -> None:
    assert all_filled({"a": "Bearer $KEY", "b": "${KEY}-x", "c": "plain"}, {"KEY": "k"}) == {
        "a": "Bearer k",
        "b": "k-x",
        "c": "plain",
    }
    with pytest.raises(ValueError, match="the variable KEY is not set"):
        all_filled({"a": "$KEY"}, {})


def test_a_search_engine_is_read_with_its_key(tmp_path: pathlib.Path) -> None:
    google = read_tool_file(write(tmp_path, "search: {google: {key: $KEY, site: cx}}")).search
    searxng = read_tool_file(write(tmp_path, "search: {searxng: {url: 'http://127.0.0.1:8888'}}")).search
    assert google is not None and searxng is not None
    assert google.settings({"KEY": "k"}) == SearchSettings("google", "", "k", "cx")
    assert searxng.settings({}) == SearchSettings("searxng", "http://127.0.0.1:8888")
    with pytest.raises(UnsetVariable):
        google.settings({})

"""The file of API extensions; what calling one does to an answer is in tests/api/web/test_features.py."""

import pathlib

import pytest
from flask import Flask

from app.providers.http.outgoing import Outgoing
from app.providers.operator_files import InvalidOperatorFile
from app.services.generation.api_extensions import Extension, ExtensionsFile, ask, read_file
from tests.support.extension_server import ExtensionServer
from tests.support.parts import put_part
from tests.support.proxy_server import ProxyServer


def test_without_a_file_there_are_no_extensions() -> None:
    assert read_file("") == ExtensionsFile(extensions={}, default=None)


def test_a_file_is_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "extensions.yml"
    path.write_text("extensions:\n  one: {endpoint: 'https://one.example', api_key: $KEY}\n")
    assert read_file(str(path)).extensions == {"one": Extension(endpoint="https://one.example", api_key="$KEY")}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("extensions:\n  one:\n    api_key: $KEY\n", "line 2: extensions.one.endpoint: Field required"),
        ("default: {endpoint: x, token: y}", "line 1: default.token: is not known here"),
        ("extensions: [", "line 1: is not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: pathlib.Path, text: str, complaint: str) -> None:
    path = tmp_path / "extensions.yml"
    path.write_text(text)
    with pytest.raises(InvalidOperatorFile) as failed:
        read_file(str(path))
    assert str(failed.value).startswith(f"{path}: {complaint}")


def test_an_extension_behind_a_proxy_is_asked_through_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExtensionServer() as server, ProxyServer() as proxy:
        address = server.url.replace("127.0.0.1", "extension.test")
        monkeypatch.setitem(app.config, "OUTGOING", Outgoing(http=proxy.url))
        put_part(
            monkeypatch,
            app,
            ExtensionsFile(extensions={"far": Extension(endpoint=address), "near": Extension(endpoint=server.url)}),
        )
        for extension in ("far", "near"):
            assert ask(extension, "app.moderation.input", {}) == {"flagged": False}
        assert proxy.requests == [f"POST {address}"]

"""gunicorn's settings, made from the app's."""

import importlib

import pytest


@pytest.mark.parametrize(
    ("host", "bound"),
    [
        ("127.0.0.1", "127.0.0.1:7001"),
        ("desk.example.com", "desk.example.com:7001"),
        ("::1", "[::1]:7001"),
        ("[::1]", "[::1]:7001"),
    ],
)
def test_every_form_of_a_host_can_be_bound(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, host: str, bound: str
) -> None:
    for name, value in {**settings, "HOST": host, "PORT": "7001"}.items():
        monkeypatch.setenv(name, value)
    from app import web_server

    assert importlib.reload(web_server).bind == bound

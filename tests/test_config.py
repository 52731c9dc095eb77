"""Settings: read strictly, and every one of them in app/docs/settings.md."""

import re
import subprocess
import sys

import pytest

from config import Config, Environment, InvalidSetting
from tests.support.paths import PROJECT

SETTINGS_PAGE = PROJECT / "app" / "docs" / "settings.md"
GOOD = {"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x", "SECRET_KEY": "k" * 32}


class Recorder(Environment):
    """Notes the names that are asked for."""

    names: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        self.names.add(name)
        return super().text(name, default)


def test_the_settings_page_names_every_setting(monkeypatch):
    monkeypatch.setattr("config.Environment", Recorder)
    Config({})
    rows = re.findall(r"^\| `([A-Z_0-9]+)` \|", SETTINGS_PAGE.read_text(), re.MULTILINE)
    assert set(rows) == Recorder.names
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "-1"),
        ("WEB_WORKERS", "0"),
        ("PING_SECONDS", "nan"),
        ("PASSPORT_USER_ID", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("FETCH_TRUSTED", "10.0.0.0/8,http://x"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_name(name, value):
    with pytest.raises(InvalidSetting, match=name):
        Config({name: value})


@pytest.mark.parametrize("name", GOOD)
def test_a_server_does_not_start_without_what_it_needs(name, tmp_path):
    with pytest.raises(InvalidSetting, match=name):
        Config({"DATA_DIR": str(tmp_path)} | GOOD | {name: ""}).check()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "postgresql://x:y/z"),
        ("DATABASE_URL", "postgresql://x:1,y:z/z"),
        ("REDIS_URL", "localhost"),
        ("REDIS_URL", "redis://one:1,two:2"),
        ("REDIS_URL", "redis+sentinel://one:1,two:2"),
    ],
)
def test_an_address_that_is_none_is_refused(name, value, tmp_path):
    with pytest.raises(InvalidSetting, match=name):
        Config({"DATA_DIR": str(tmp_path)} | GOOD | {name: value}).check()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://me:p@one:1,two:2/desk?sslmode=require"),
        ("DATABASE_URL", "postgresql:///desk?host=/run/postgresql"),
        ("REDIS_URL", "redis+sentinel://:p@one:1,two/desk/0?sentinel_password=s"),
        ("REDIS_URL", "unix:///run/redis.sock"),
    ],
)
def test_an_address_of_several_hosts_or_a_socket_is_taken(name, value, tmp_path):
    assert getattr(Config({"DATA_DIR": str(tmp_path)} | GOOD | {name: value}).check(), name) == value


@pytest.mark.parametrize("key", ["short", "k" * 31, GOOD["SECRET_KEY"] + ",short", "short," + GOOD["SECRET_KEY"]])
def test_a_short_key_is_refused(tmp_path, key):
    with pytest.raises(InvalidSetting, match="SECRET_KEY must be set to at least 32 random bytes") as refusal:
        Config({"DATA_DIR": str(tmp_path)} | GOOD | {"SECRET_KEY": key}).check()
    assert key not in str(refusal.value)


def test_a_server_with_a_short_key_ends_with_one_clear_line(tmp_path):
    settings = GOOD | {"DATA_DIR": str(tmp_path), "SECRET_KEY": "short"}
    done = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=PROJECT, env=settings, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == "frontdesk: SECRET_KEY must be set to at least 32 random bytes, for example from `openssl rand -hex 32`.\n"
    )


def test_the_first_of_several_keys_signs():
    first, second = "a" * 32, "b" * 32
    config = Config(GOOD | {"SECRET_KEY": f"{first}, {second},"}).check()
    assert (first, [second]) == (config.SECRET_KEY, config.SECRET_KEY_FALLBACKS)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("http://mail", "a@b.example"),
        ("mail:25", "a@b.example"),
        ("smtp://mail:x", "a@b.example"),
        ("smtp://", "a@b.example"),
        ("smtp://mail", ""),
        ("smtp://mail", "Desk"),
    ],
)
def test_mail_settings_are_checked(tmp_path, url, sender):
    with pytest.raises(InvalidSetting, match="SMTP_URL|MAIL_FROM"):
        Config({"DATA_DIR": str(tmp_path)} | GOOD | {"SMTP_URL": url, "MAIL_FROM": sender}).check()


def test_running_embedded_servers_are_found_by_their_data_folder(tmp_path):
    (tmp_path / "embedded.json").write_text('{"REDIS_URL": "unix:///x", "PORT": "7000"}')
    config = Config({"DATA_DIR": str(tmp_path), "PORT": "8000"})
    assert (config.REDIS_URL, config.PORT) == ("unix:///x", 8000)


@pytest.mark.parametrize("token", ["short", "a token with blanks in it, long", "ümlaute-in-a-token-of-24-signs"])
def test_an_operators_token_that_no_header_carries_or_that_can_be_guessed_is_refused(token, tmp_path):
    with pytest.raises(InvalidSetting, match="OPERATOR_TOKEN") as refusal:
        Config({"DATA_DIR": str(tmp_path)} | GOOD | {"OPERATOR_TOKEN": f"{'x' * 24}, {token}"}).check()
    assert token not in str(refusal.value)


def test_another_protocol_than_ours_is_refused_where_traces_are_to_be_sent(tmp_path):
    given = {"DATA_DIR": str(tmp_path), "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"} | GOOD
    Config(given).check()
    with pytest.raises(InvalidSetting, match="OTEL_EXPORTER_OTLP_PROTOCOL"):
        Config(given | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"}).check()

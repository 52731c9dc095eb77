"""Read every setting, strictly; no other file reads the environment.

A setting comes from the environment, else from the file `embedded.json`, in which a running `make run` with the same
DATA_DIR notes its servers, else from its default. `app/docs/settings.md` has a row for each.
"""

import ipaddress
import json
import os
import pathlib
import re
import sys
import urllib.parse
from collections.abc import Mapping
from email.utils import parseaddr

from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.http.outgoing import Outgoing, tls_context
from app.redis_address import SENTINEL_SCHEME, sentinel_address, split_hosts

EMBEDDED_STATE = "embedded.json"
LEAST_KEY_BYTES = 32
OTLP_PROTOCOL = "http/protobuf"
LEAST_TOKEN_CHARACTERS = 24
# As Content-Security-Policy writes them: a wildcard may stand for the first labels of a host.
_ORIGIN = re.compile(r"https?://(?:\*\.)?[a-z0-9.-]+(?::\d{1,5})?", re.IGNORECASE)
SCHEMES = {
    "DATABASE_URL": ("postgresql", "postgres", "postgresql+psycopg2"),
    "REDIS_URL": ("redis", "rediss", "unix", SENTINEL_SCHEME),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("http", "https"),
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ("http", "https"),
    "SMTP_URL": ("smtp+starttls", "smtps", "smtp"),
}


class InvalidSetting(Exception):
    """A setting cannot be read; the text names it and says what it should be."""


class Environment:
    """Reads typed settings from a mapping of strings; an empty value counts as absent.

    Every method returns the default for an absent setting, and raises InvalidSetting for a value that it cannot read.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """Return a text without blanks around it."""
        return self._values.get(name, "").strip() or default

    def integer(self, name: str, default: int, least: int = 0) -> int:
        """Return a whole number of at least `least`."""
        text = self.text(name)
        if not text:
            return default
        if not text.isdecimal() or int(text) < least:
            raise InvalidSetting(f"{name} must be a whole number of at least {least}, not {text!r}.")
        return int(text)

    def seconds(self, name: str, default: float) -> float:
        """Return a finite number of seconds, whole or not."""
        text = self.text(name)
        try:
            value = float(text) if text else default
        except ValueError:
            raise InvalidSetting(f"{name} must be a number of seconds, not {text!r}.") from None
        if not 0 <= value < float("inf"):
            raise InvalidSetting(f"{name} must be a number of seconds of at least 0, not {text!r}.")
        return value

    def choice(self, name: str, default: str, *others: str) -> str:
        """Return one of the named values."""
        text = self.text(name, default)
        if text not in (default, *others):
            raise InvalidSetting(f"{name} must be one of {', '.join((default, *others))}, not {text!r}.")
        return text

    def items(self, name: str, default: str) -> list[str]:
        """Return the items of a list that is separated by commas."""
        return [item.strip() for item in self.text(name, default).split(",") if item.strip()]

    def origins(self, name: str) -> list[str]:
        """Return a list of origins, `https://example.com` or `https://*.example.com:8443`."""
        entries = self.items(name, "")
        for entry in entries:
            if not _ORIGIN.fullmatch(entry):
                raise InvalidSetting(f"{name} must be origins such as https://example.com, not {entry!r}.")
        return entries

    def proxy(self, name: str) -> str:
        """Return a setting that many programs read; its name in lower case goes first."""
        return self._values.get(name.lower(), "").strip() or self.text(name)

    def ca_files(self, *names: str) -> tuple[str, ...]:
        """Return the file or folder of certificates that the first of these settings names; none without any."""
        for name in names:
            if path := self.text(name):
                try:
                    tls_context((path,))
                except OSError as problem:
                    raise InvalidSetting(f"{name}: {path!r} cannot be used: {problem.strerror or problem}.") from None
                return (path,)
        return ()

    def addresses(self, name: str) -> list[str]:
        """Return a list of networks, addresses and host names, as AllowedAddresses takes them."""
        entries = self.items(name, "")
        try:
            AllowedAddresses(entries)
        except ValueError as problem:
            raise InvalidSetting(f"{name}: {problem}.") from None
        return entries


class Config:
    """The settings of one process. Raises InvalidSetting where a value cannot be read."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        given = os.environ if environ is None else environ
        self.DATA_DIR = pathlib.Path(Environment(given).text("DATA_DIR", "instance")).absolute()
        # Operators' YAML files may name any variable for their keys.
        self.ENVIRONMENT = {**self._embedded_servers(), **{k: v for k, v in given.items() if v.strip()}}
        env = Environment(self.ENVIRONMENT)
        self.COMMAND_LINE = self.ENVIRONMENT.get("FLASK_RUN_FROM_CLI") == "true"

        self.HOST = env.text("HOST", "127.0.0.1")
        self.PORT = env.integer("PORT", 5001)
        self.PROXY_HOPS = env.integer("PROXY_HOPS", 0)
        # Limits on strangers are on by default where strangers can come: directly, or through a proxy.
        self.OPEN_TO_OTHERS = self.PROXY_HOPS > 0 or not _is_loopback(self.HOST)

        self.DATABASE_URL = env.text("DATABASE_URL")
        self.DATABASE_POOL_SIZE = env.integer("DATABASE_POOL_SIZE", 10, least=1)
        self.REDIS_URL = env.text("REDIS_URL")
        self.STORAGE_URL = env.text("STORAGE_URL", f"file://{self.DATA_DIR / 'files'}")
        self.SECRET_KEY, *self.SECRET_KEY_FALLBACKS = env.items("SECRET_KEY", "") or [""]

        self.OPERATOR_TOKEN = env.items("OPERATOR_TOKEN", "")

        self.PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{env.integer('PORT', 5001)}").rstrip("/")
        self.PAGES = env.choice("PAGES", "on", "off")
        self.PAGES_INDEX = env.choice("PAGES_INDEX", "off", "on")
        self.PAGES_FRAMED_BY = env.origins("PAGES_FRAMED_BY")
        # Links lead to another front-end where one is named, else to the pages of this server.
        self.WEB_APP_URL = env.text("WEB_APP_URL", self.PUBLIC_URL if self.PAGES == "on" else "").rstrip("/")
        self.CORS_ALLOW_ORIGINS = env.items("CORS_ALLOW_ORIGINS", "*")
        self.WEB_APP_AUTH = env.choice("WEB_APP_AUTH", "off", "on")
        self.ACCESS_TOKEN_MINUTES = env.integer("ACCESS_TOKEN_MINUTES", 60, least=1)
        self.SMTP_URL = env.text("SMTP_URL")
        self.MAIL_FROM = env.text("MAIL_FROM")
        self.MAIL_CODE_SECONDS = env.integer("MAIL_CODE_SECONDS", 300, least=1)
        self.MAIL_IP_LIMIT = env.integer("MAIL_IP_LIMIT", 50, least=1)
        self.RESET_MAIL_SECONDS = env.integer("RESET_MAIL_SECONDS", 60, least=1)
        self.PASSPORT_IP_LIMIT = self._limit(env, "PASSPORT_IP_LIMIT", 60)
        self.PASSPORT_USER_ID = env.choice("PASSPORT_USER_ID", "open", "signed", "off")
        self.DEPLOY_ENV = env.text("DEPLOY_ENV", "PRODUCTION")

        self.OPENAI_BASE_URL = env.text("OPENAI_BASE_URL").rstrip("/")
        self.OPENAI_API_KEY = env.text("OPENAI_API_KEY")
        self.MODEL_NAME = env.text("MODEL_NAME")
        self.MODELS_FILE = env.text("MODELS_FILE")
        self.MODEL_CONTEXT = env.integer("MODEL_CONTEXT", 32_768, least=256)
        self.MODEL_CONNECT_TIMEOUT = env.seconds("MODEL_CONNECT_TIMEOUT", 10)
        self.MODEL_READ_TIMEOUT = env.seconds("MODEL_READ_TIMEOUT", 300)
        self.MODEL_RETRIES = env.integer("MODEL_RETRIES", 2)
        self.EMBEDDING_BASE_URL = env.text("EMBEDDING_BASE_URL").rstrip("/")
        self.EMBEDDING_API_KEY = env.text("EMBEDDING_API_KEY")
        self.EMBEDDING_MODEL = env.text("EMBEDDING_MODEL")
        self.AUDIO_BASE_URL = env.text("AUDIO_BASE_URL").rstrip("/")
        self.AUDIO_API_KEY = env.text("AUDIO_API_KEY")
        self.SPEECH_MODEL = env.text("SPEECH_MODEL", "tts-1")
        self.SPEECH_VOICES = env.items("SPEECH_VOICES", "")
        self.TRANSCRIPTION_MODEL = env.text("TRANSCRIPTION_MODEL", "whisper-1")
        self.NAMING_SECONDS = env.seconds("NAMING_SECONDS", 20)

        self.LOCAL_MODEL = env.text("LOCAL_MODEL")
        self.LOCAL_MODEL_FILE = env.text("LOCAL_MODEL_FILE")
        self.LOCAL_MODEL_SHA256 = env.text("LOCAL_MODEL_SHA256")

        self.MAX_RUN_SECONDS = env.integer("MAX_RUN_SECONDS", 1200, least=1)
        self.WORKFLOW_STEPS = env.integer("WORKFLOW_STEPS", 500, least=1)
        self.FORM_MAX_SECONDS = env.integer("FORM_MAX_SECONDS", 604_800, least=1)
        self.FORM_SCAN_SECONDS = env.integer("FORM_SCAN_SECONDS", 60, least=1)
        self.FORM_IP_LIMIT = env.integer("FORM_IP_LIMIT", 30)
        self.QUERY_CHARACTERS = env.integer("QUERY_CHARACTERS", 100_000)
        self.INPUT_CHARACTERS = env.integer("INPUT_CHARACTERS", 100_000)
        self.HISTORY_PAGE_BYTES = env.integer("HISTORY_PAGE_BYTES", 4_000_000, least=1)
        self.APP_ACTIVE_LIMIT = env.integer("APP_ACTIVE_LIMIT", 0)
        self.VISITOR_MINUTE_LIMIT = self._limit(env, "VISITOR_MINUTE_LIMIT", 60)
        self.ADDRESS_MINUTE_LIMIT = self._limit(env, "ADDRESS_MINUTE_LIMIT", 60)
        self.VISITOR_STREAM_LIMIT = self._limit(env, "VISITOR_STREAM_LIMIT", 10)
        self.ADDRESS_STREAM_LIMIT = self._limit(env, "ADDRESS_STREAM_LIMIT", 10)
        self.VISITOR_STORAGE_MB = self._limit(env, "VISITOR_STORAGE_MB", 500)
        self.ADDRESS_DAY_UPLOAD_MB = self._limit(env, "ADDRESS_DAY_UPLOAD_MB", 500)
        self.VISITOR_DAY_ANSWERS = self._limit(env, "VISITOR_DAY_ANSWERS", 500)
        self.VISITOR_DAY_TOKENS = self._limit(env, "VISITOR_DAY_TOKENS", 1_000_000)
        self.ADDRESS_DAY_ANSWERS = self._limit(env, "ADDRESS_DAY_ANSWERS", 500)
        self.ADDRESS_DAY_TOKENS = self._limit(env, "ADDRESS_DAY_TOKENS", 1_000_000)
        self.ACCOUNT_DAY_ANSWERS = self._limit(env, "ACCOUNT_DAY_ANSWERS", 1_000)
        self.ACCOUNT_DAY_TOKENS = self._limit(env, "ACCOUNT_DAY_TOKENS", 2_000_000)
        self.APP_DAY_ANSWERS = self._limit(env, "APP_DAY_ANSWERS", 10_000)
        self.APP_DAY_TOKENS = self._limit(env, "APP_DAY_TOKENS", 20_000_000)
        self.API_EXTENSIONS_FILE = env.text("API_EXTENSIONS_FILE")
        self.TOOLS_FILE = env.text("TOOLS_FILE")
        self.FETCH_TRUSTED = env.addresses("FETCH_TRUSTED")
        self.OUTGOING = Outgoing(
            http=env.proxy("HTTP_PROXY"),
            https=env.proxy("HTTPS_PROXY"),
            any_scheme=env.proxy("ALL_PROXY"),
            direct=env.proxy("NO_PROXY"),
            ca_files=env.ca_files("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
        )
        self.CODE_PACKAGES = env.items("CODE_PACKAGES", "")
        self.EVENT_LOG_SECONDS = env.integer("EVENT_LOG_SECONDS", 600, least=1)
        self.PING_SECONDS = env.seconds("PING_SECONDS", 10)
        self.STREAM_IDLE_SECONDS = env.seconds("STREAM_IDLE_SECONDS", 300)
        self.LEASE_SECONDS = env.seconds("LEASE_SECONDS", 3)
        self.DRAIN_SECONDS = env.seconds("DRAIN_SECONDS", 20)

        self.HEAD_SECONDS = env.seconds("HEAD_SECONDS", 10)
        self.BODY_SECONDS = env.seconds("BODY_SECONDS", 900)
        self.BODY_LEAST_RATE = env.integer("BODY_LEAST_RATE", 1_024, least=1)
        self.WRITE_SECONDS = env.seconds("WRITE_SECONDS", 30)
        self.KEEPALIVE_SECONDS = env.seconds("KEEPALIVE_SECONDS", 30)
        self.ADDRESS_CONNECTIONS = self._limit(env, "ADDRESS_CONNECTIONS", 200)
        self.WEB_WORKERS = env.integer("WEB_WORKERS", os.cpu_count() or 1, least=1)
        self.WORKER_PROCESSES = env.integer("WORKER_PROCESSES", os.cpu_count() or 1, least=1)
        self.WORKER_THREADS = env.integer("WORKER_THREADS", 100, least=1)
        self.METRICS_TOKEN = env.text("METRICS_TOKEN")
        self.METRICS_PORT = env.integer("METRICS_PORT", 0)
        self.METRICS_HOST = env.text("METRICS_HOST", "127.0.0.1")
        if self.METRICS_PORT and self.METRICS_PORT in (self.PORT, *range(65_536, self.METRICS_PORT + 1)):
            raise InvalidSetting("METRICS_PORT must be a port of its own, below 65536; PORT is the web server's.")
        self.METRICS_DIR = pathlib.Path(env.text("METRICS_DIR", str(self.DATA_DIR / "metrics"))).absolute()
        self.LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")
        self.LOG_FORMAT = env.choice("LOG_FORMAT", "json", "console")
        self.LOG_CONTENT = env.choice("LOG_CONTENT", "off", "on")
        # The packages of OpenTelemetry read its other variables by themselves.
        self.OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
        self.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        self.OTEL_EXPORTER_OTLP_PROTOCOL = env.text("OTEL_EXPORTER_OTLP_PROTOCOL", OTLP_PROTOCOL)
        self.UPLOAD_LIMITS_MB = {
            "image": env.integer("UPLOAD_IMAGE_MB", 10),
            "document": env.integer("UPLOAD_DOCUMENT_MB", 15),
            "audio": env.integer("UPLOAD_AUDIO_MB", 50),
            "video": env.integer("UPLOAD_VIDEO_MB", 100),
        }
        self.UPLOAD_BLOCKED_EXTENSIONS = [
            item.lower().lstrip(".") for item in env.items("UPLOAD_BLOCKED_EXTENSIONS", "")
        ]
        self.FILE_LINK_SECONDS = env.integer("FILE_LINK_SECONDS", 300, least=1)
        self.WORKFLOW_FILE_LIMIT = env.integer("WORKFLOW_FILE_LIMIT", 10)
        # 0: for ever.
        self.RETENTION_DAYS = env.integer("RETENTION_DAYS", 0)

    @property
    def traces_endpoint(self) -> str:
        """The address that takes spans; empty where none are to be sent."""
        general = self.OTEL_EXPORTER_OTLP_ENDPOINT
        return self.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or (f"{general.rstrip('/')}/v1/traces" if general else "")

    def _limit(self, env: Environment, name: str, most: int) -> int:
        """Read a limit on strangers: without a value of its own it is `most` where they can come, else none, 0."""
        return env.integer(name, most if self.OPEN_TO_OTHERS else 0)

    def _embedded_servers(self) -> dict[str, str]:
        """Return the settings of the servers that `make run` started; empty if none is running."""
        try:
            return dict(json.loads((self.DATA_DIR / EMBEDDED_STATE).read_text()))
        except FileNotFoundError:
            return {}

    def check(self) -> "Config":
        """Return self if all that a serving process needs is set. Raises InvalidSetting."""
        for name, what in (("DATABASE_URL", "a PostgreSQL"), ("REDIS_URL", "a Redis")):
            if not getattr(self, name):
                raise InvalidSetting(
                    f"{name} is not set: give the address of {what} server, or start the embedded ones by `make run`."
                )
            if not _is_address(getattr(self, name), SCHEMES[name]):
                raise InvalidSetting(
                    f"{name} is not the address of {what} server: it must begin with {SCHEMES[name][0]}://"
                )
        for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
            if getattr(self, name) and not _is_address(getattr(self, name), SCHEMES[name]):
                raise InvalidSetting(f"{name} must be the address of a collector: http://host:4318 or https://…")
        if self.traces_endpoint and self.OTEL_EXPORTER_OTLP_PROTOCOL != OTLP_PROTOCOL:
            raise InvalidSetting(
                f"OTEL_EXPORTER_OTLP_PROTOCOL must be {OTLP_PROTOCOL}, at port 4318 of most collectors."
            )
        if self.SMTP_URL and not (
            _is_address(self.SMTP_URL, SCHEMES["SMTP_URL"]) and urllib.parse.urlsplit(self.SMTP_URL).hostname
        ):
            raise InvalidSetting(
                "SMTP_URL must be smtp+starttls://user:password@host:587, smtps://…:465 or smtp://host:25."
            )
        if self.SMTP_URL and "@" not in parseaddr(self.MAIL_FROM)[1]:
            raise InvalidSetting("MAIL_FROM must be set to the sender's address of mails when SMTP_URL is set.")
        for key in (self.SECRET_KEY, *self.SECRET_KEY_FALLBACKS):
            if len(key.encode()) < LEAST_KEY_BYTES:
                raise InvalidSetting(
                    f"SECRET_KEY must be set to at least {LEAST_KEY_BYTES} random bytes, for example from "
                    "`openssl rand -hex 32`."
                )
        # Headers carry it.
        if any(len(token) < LEAST_TOKEN_CHARACTERS or not _is_header_text(token) for token in self.OPERATOR_TOKEN):
            raise InvalidSetting(
                f"OPERATOR_TOKEN: each token must have at least {LEAST_TOKEN_CHARACTERS} letters, digits and signs,"
                " without blanks, for example from `openssl rand -hex 24`."
            )
        return self


def _is_header_text(text: str) -> bool:
    """Whether a text is of ASCII's printable characters, without blanks."""
    return all("!" <= character <= "~" for character in text)


def _is_loopback(host: str) -> bool:
    """Whether only processes of this machine can connect to a server that binds this host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether a text is a URL of one of the schemes; of several hosts, where PostgreSQL and Sentinels have them."""
    try:
        address = urllib.parse.urlsplit(text)
        hosts = address.netloc.rpartition("@")[2]
        if "," in hosts and address.scheme in (*SCHEMES["DATABASE_URL"], SENTINEL_SCHEME):
            split_hosts(hosts, 1)
        else:
            _ = address.port
        sentinel_address(text)
    except ValueError:
        return False
    return address.scheme in schemes


def serving_config() -> Config:
    """Return the checked settings of a serving process; ends the process with one line if a setting is invalid."""
    try:
        return Config().check()
    except InvalidSetting as problem:
        sys.exit(f"frontdesk: {problem}")

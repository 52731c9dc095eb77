"""The servers that `make run` needs: its own, or those whose address is given."""

import contextlib
import pathlib
import secrets
import time
from collections.abc import Callable

import psycopg2
import redis

from app.embedded.openai_servers import OpenAiServer, audio_server, model_server
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import CannotStart
from app.embedded.redis import EmbeddedRedis
from config import Config

REACH_SECONDS = 5


class ServerParts:
    """PostgreSQL, Redis, the model server and the one for audio. `settings` says where they are, as config.py reads it."""

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        self.settings: dict[str, str] = {}
        self._config, self._say = config, say
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self.servers: list[OpenAiServer] = []

    def start(self) -> None:
        """Start or reach all. Raises CannotStart.

        In this thread alone: the children are bound to the life of the thread that starts them.
        """
        self.settings["SECRET_KEY"] = self._config.SECRET_KEY or _kept_key(self._config.DATA_DIR / "secret_key")
        if not (self._config.MODELS_FILE or self._config.OPENAI_BASE_URL):
            self.servers.append(model_server(self._config))
            # One server for everything was not named, so that nobody else would speak and listen.
            if not self._config.AUDIO_BASE_URL:
                self.servers.append(audio_server(self._config))
        for server in self.servers:
            server.spawn()
        self._start_redis()
        self._start_postgres()
        for server in self.servers:
            server.wait()
            self.settings |= server.settings
            self._say(f"{server.name.capitalize()} is up: {server.about}")

    def stop(self) -> None:
        """Stop what was started here."""
        with contextlib.ExitStack() as parts:
            for part in (self._postgres, self._redis, *self.servers):
                if part is not None:
                    parts.callback(part.stop)

    def lost(self) -> str:
        """The name of a data server that ended by itself; else empty."""
        named = {"PostgreSQL": self._postgres, "Redis": self._redis}
        return next((name for name, part in named.items() if part is not None and not part.running), "")

    def _start_postgres(self) -> None:
        url, began = self._config.DATABASE_URL, time.monotonic()
        if url:
            try:
                psycopg2.connect(url.replace("+psycopg2", "", 1), connect_timeout=REACH_SECONDS).close()
            except psycopg2.Error as problem:
                raise CannotStart(
                    f"DATABASE_URL: the server cannot be reached ({str(problem).strip().splitlines()[0]})."
                ) from None
            return
        self._postgres = EmbeddedPostgres(self._config.DATA_DIR / "postgres").start()
        self.settings["DATABASE_URL"] = self._postgres.url
        self._say(f"PostgreSQL is up ({time.monotonic() - began:.1f} s)")

    def _start_redis(self) -> None:
        url, began = self._config.REDIS_URL, time.monotonic()
        if url:
            try:
                redis.Redis.from_url(url, socket_connect_timeout=REACH_SECONDS).ping()
            except (redis.RedisError, ValueError) as problem:
                raise CannotStart(f"REDIS_URL: the server cannot be reached ({problem}).") from None
            return
        self._redis = EmbeddedRedis(self._config.DATA_DIR / "redis").start()
        self.settings["REDIS_URL"] = self._redis.url
        self._say(f"Redis is up ({time.monotonic() - began:.1f} s)")


def _kept_key(file: pathlib.Path) -> str:
    """The key of this installation, made at the first start."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return file.read_text().strip()

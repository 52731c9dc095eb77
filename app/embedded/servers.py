"""Start the servers that `make run` needs, or reach those whose address is set."""

import contextlib
import pathlib
import secrets
import time
from collections.abc import Callable

import psycopg2
import redis

from app.embedded import embedding_engine
from app.embedded.openai_servers import OpenAiServer, audio_server, embedding_server, model_server
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import CannotStart
from app.embedded.redis import EmbeddedRedis
from config import Config

KEY_BYTES = 32
TOKEN_BYTES = 24


class EmbeddedServers:
    """PostgreSQL, Redis, and the servers of the local model, of embeddings and of speech.

    `settings`: their addresses and keys, as config.py reads them; `model_servers`: those that speak OpenAI's protocol.
    """

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        self.settings: dict[str, str] = {}
        self._config, self._say = config, say
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self.model_servers: list[OpenAiServer] = []

    def start(self) -> None:
        """Start or reach all of them. Raises CannotStart.

        To be called in the main thread: the servers end with the thread that started them (`die_with_parent`).
        """
        directory = self._config.DATA_DIR
        self.settings["SECRET_KEY"] = self._config.SECRET_KEY or _kept_secret(directory / "secret_key", KEY_BYTES)
        if not self._config.OPERATOR_TOKEN:
            self.settings["OPERATOR_TOKEN"] = _kept_secret(directory / "operator_token", TOKEN_BYTES)
        if not (self._config.MODELS_FILE or self._config.OPENAI_BASE_URL):
            self.model_servers.append(model_server(self._config))
            if not self._config.EMBEDDING_BASE_URL and embedding_engine.is_installed():
                self.model_servers.append(embedding_server(self._config))
            # OPENAI_BASE_URL would serve audio, too; without it, and without AUDIO_BASE_URL, speech needs a server.
            if not self._config.AUDIO_BASE_URL:
                self.model_servers.append(audio_server(self._config))
        # The slowest to start: they load while Redis and PostgreSQL are started.
        for server in self.model_servers:
            server.spawn()
        self._start_redis()
        self._start_postgres()
        for server in self.model_servers:
            server.wait()
            self.settings |= server.settings
            self._say(f"{server.name.capitalize()} is up: {server.about}")

    def stop(self) -> None:
        """Stop what `start` has started."""
        # Each is stopped even if the stop of another one fails.
        with contextlib.ExitStack() as stops:
            for server in (self._postgres, self._redis, *self.model_servers):
                if server is not None:
                    stops.callback(server.stop)

    def lost(self) -> str:
        """Return the name of a started data server that has ended; empty if none has."""
        named = {"PostgreSQL": self._postgres, "Redis": self._redis}
        return next((name for name, server in named.items() if server is not None and not server.running), "")

    def _start_postgres(self) -> None:
        url, began = self._config.DATABASE_URL, time.monotonic()
        if url:
            # Imported here, as below: what serves takes a second to load, and servers of our own need nothing of it.
            from app.extensions import database_connector

            try:
                database_connector(url)().close()
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
            from app.extensions import redis_at

            try:
                redis_at(url).ping()
            except (redis.RedisError, ValueError) as problem:
                raise CannotStart(f"REDIS_URL: the server cannot be reached ({problem}).") from None
            return
        self._redis = EmbeddedRedis(self._config.DATA_DIR / "redis").start()
        self.settings["REDIS_URL"] = self._redis.url
        self._say(f"Redis is up ({time.monotonic() - began:.1f} s)")


def _kept_secret(file: pathlib.Path, size: int) -> str:
    """Return the secret that a file of this installation has, of `size` bytes; made by the first start."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(size))
    return file.read_text().strip()

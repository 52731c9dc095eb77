"""The servers that `make run` needs: its own, or those whose address is given."""

import contextlib
import pathlib
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg2
import redis
import requests

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import CannotStart, spawn, stop, wait_until_ready
from app.embedded.redis import EmbeddedRedis
from app.embedded.weights import find_weights
from config import Config

REACH_SECONDS = 5
MODEL_CONTEXT = "4096"


class Parts:
    """PostgreSQL, Redis and the model server. `settings` says where they are, as config.py reads it."""

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        self.settings: dict[str, str] = {}
        self._config, self._say = config, say
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self.model: Model | None = None

    def start(self) -> None:
        """Start or reach all. Raises CannotStart.

        In this thread alone: the children are bound to the life of the thread that starts them.
        """
        self.settings["SECRET_KEY"] = self._config.SECRET_KEY or _kept_key(self._config.DATA_DIR / "secret_key")
        if not (self._config.MODELS_FILE or self._config.OPENAI_BASE_URL):
            self.model = Model(self._config)
            self.model.spawn()
        self._start_redis()
        self._start_postgres()
        if self.model is not None:
            self.model.wait()
            self.settings |= self.model.settings
            self._say(f"The local model is up: {self.model.weights.path.name}")

    def stop(self) -> None:
        """Stop what was started here."""
        with contextlib.ExitStack() as parts:
            for part in (self._postgres, self._redis, self.model):
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
                raise CannotStart(f"DATABASE_URL: the server cannot be reached ({str(problem).strip().splitlines()[0]}).") from None
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


class Model:
    """The local model's server process, on the same port whenever it is started."""

    def __init__(self, config: Config) -> None:
        self.weights = find_weights(config.LOCAL_MODEL, config.DATA_DIR / "weights.json")
        self._log = config.DATA_DIR / "logs" / "model.log"
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "OPENAI_BASE_URL": self.base_url,
            "MODEL_NAME": "local",
            "MODEL_CONTEXT": MODEL_CONTEXT,
            "LOCAL_MODEL_FILE": self.weights.path.name,
            "LOCAL_MODEL_SHA256": self.weights.sha256,
        }

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "not started"
        return self._process

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the process without waiting for it."""
        self._process = spawn([sys.executable, "-m", "app.embedded.model_server", str(self.weights.path), str(self._port)], self._log)
        return self._process

    def wait(self) -> None:
        """Until the process answers. Raises CannotStart."""
        wait_until_ready(self.process, self._answers, "The local model", self._log)

    def stop(self) -> None:
        stop(self._process)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/models", timeout=1).ok
        except requests.RequestException:
            return False


def _kept_key(file: pathlib.Path) -> str:
    """The key of this installation, made at the first start."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return file.read_text().strip()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])

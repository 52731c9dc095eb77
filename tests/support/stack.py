"""The whole product on real processes: servers, scripted model, web, workers, a temporary folder.

For system tests and measurements.

with Stack(folder) as stack:
    stack.import_app(CHAT_APP, "chat")
    visitor = Visitor(stack.base_url, "chat")
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg2
import redis
import requests

from app.embedded.ports import ReservedPort
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from tests.support.child import Child
from tests.support.paths import PROJECT
from tests.support.visitor import wait_until

CHAT_APP = PROJECT / "tests" / "app_files" / "chat.yml"
COMPLETION_APP = PROJECT / "tests" / "app_files" / "completion.yml"
TALKING_APP = PROJECT / "tests" / "app_files" / "talking.yml"
START_SECONDS = 120
COMMAND_SECONDS = 60


class Stack:
    """Everything that `make run` starts, each part at hand to be killed, stopped and started again."""

    def __init__(
        self,
        directory: pathlib.Path,
        web_workers: int = 2,
        worker_processes: int = 2,
        *,
        chunks: int = 50,
        delay_ms: float = 20,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.worker_processes = worker_processes
        self.postgres = EmbeddedPostgres(directory / "postgres")
        self.redis = EmbeddedRedis(directory / "redis")
        self.workers: list[Child] = []
        self.web: Child | None = None
        self.beat: Child | None = None
        self.model: Child | None = None
        self._model_options = ["--chunks", str(chunks), "--delay-ms", str(delay_ms)]
        self._model_port = ReservedPort()
        self._started_workers = 0
        self.port = ReservedPort()
        self._extra = {
            "WEB_WORKERS": str(web_workers),
            "WORKER_PROCESSES": str(worker_processes),
            **(environment or {}),
        }

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def model_url(self) -> str:
        return f"http://127.0.0.1:{self._model_port}/v1"

    @property
    def env(self) -> dict[str, str]:
        """The environment of the product's processes; nothing of the caller's own settings gets in."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return (
            inherited
            | {
                "DATABASE_URL": self.postgres.url,
                "REDIS_URL": self.redis.url,
                "DATA_DIR": str(self.directory / "data"),
                "SECRET_KEY": "a-key-for-tests-that-is-long-enough",
                "OPENAI_BASE_URL": self.model_url,
                "OPENAI_API_KEY": "sk-scripted",
                "MODEL_NAME": "scripted",
                "PORT": str(self.port),
                "LOG_LEVEL": "WARNING",
                "PYTHONUNBUFFERED": "1",
            }
            | self._extra
        )

    @property
    def trees(self) -> dict[str, list[int]]:
        """The process ids to measure, by part."""
        return {
            "web": [self.web.pid] if self.web else [],
            "worker": [worker.pid for worker in self.workers],
            "redis": [self.redis.pid],
            "postgres": [self.postgres.pid],
            "model": [self.model.pid] if self.model else [],
        }

    def start(self) -> Self:
        try:
            (self.directory / "data").mkdir(parents=True, exist_ok=True)
            self.postgres.start()
            self.redis.start()
            self.start_model()
            self.run("flask", "--app", "wsgi", "db", "upgrade")
            for _ in range(self.worker_processes):
                self.start_worker()
            self.start_web()
            self.wait_for_health()
        except BaseException:
            print(self.logs())
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop every part, whatever became of the others."""
        with contextlib.ExitStack() as parts:
            parts.callback(self.port.release)
            parts.callback(self._model_port.release)
            parts.callback(self.postgres.stop)
            parts.callback(self.redis.stop)
            for child in (self.model, *self.workers, self.beat, self.web):
                if child is not None:
                    parts.callback(child.stop)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(self.logs())
        self.stop()

    def start_model(self) -> None:
        options = ["--port", str(self._model_port), *self._model_options]
        self.model = self._child("model", "tests.support.scripted_model", *options)
        self._wait(lambda: requests.get(self.model_url + "/models", timeout=2).ok, "the scripted model")

    def start_worker(self, queues: str = "generations,housekeeping") -> Child:
        """One more worker process; returns before it is ready."""
        self._started_workers += 1
        node = f"worker{self._started_workers}@stack"
        worker = self._child(
            node,
            "celery",
            "-A",
            "celery_worker",
            "worker",
            "-P",
            "threads",
            "-n",
            node,
            "--loglevel",
            "WARNING",
            "-c",
            self.env.get("WORKER_THREADS", "100"),
            "-Q",
            queues,
            "--without-gossip",
            "--without-mingle",
        )
        self.workers.append(worker)
        return worker

    def kill_worker(self, index: int) -> None:
        """kill -9."""
        self.workers.pop(index).kill()

    def worker_of(self, query: str) -> int:
        """The index of the worker that asks the model about a query; told by the connection between the two.

        Where the worker that asked last was killed, this waits for the one that takes over: that may call a tool before
        it asks the model.
        """
        found: list[int] = []

        def find() -> bool:
            port = self._port_of_last_request(query)
            found[:] = [index for index, worker in enumerate(self.workers) if port in _ports_of(worker.pid)]
            return bool(found)

        wait_until(find, 20, f"a worker that holds the connection of {query!r}")
        return found[0]

    def _port_of_last_request(self, query: str) -> int | None:
        asked = [
            request for request in self.model_requests() if query in json.dumps(request["body"], ensure_ascii=False)
        ]
        return asked[-1]["client_port"] if asked else None

    def start_web(self) -> None:
        self.web = self._child("web", "gunicorn", "-c", "python:app.web_server", "wsgi:app")

    def kill_web(self) -> None:
        assert self.web is not None
        self.web.kill()

    def restart_web(self) -> None:
        """kill -9 of master and workers, and a new start on the same port."""
        self.kill_web()
        self.start_web()
        self.wait_for_health()

    def start_beat(self) -> None:
        schedule = str(self.directory / "data" / "beat-schedule")
        self.beat = self._child(
            "beat",
            "celery",
            "-A",
            "celery_worker",
            "beat",
            "--schedule",
            schedule,
            "--pidfile=",
            "--loglevel",
            "WARNING",
        )

    def kill_beat(self) -> None:
        assert self.beat is not None
        self.beat.kill()

    def restart_everything(self) -> None:
        """kill -9 of every process of ours, servers stopped and started: what a power cut leaves is all there is."""
        for child in (*self.workers, *([self.web] if self.web else [])):
            child.kill()
        self.workers.clear()
        self.redis.stop()
        self.postgres.stop()
        self.postgres.start()
        self.redis.start()
        for _ in range(self.worker_processes):
            self.start_worker()
        self.start_web()
        self.wait_for_health()

    def restart_redis(self) -> None:
        """An empty Redis in the place of the old one."""
        self.redis.stop()
        self.redis.start()

    def redis_client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.redis.url)

    def import_app(self, path: pathlib.Path, code: str) -> Any:
        return json.loads(self.run("flask", "--app", "wsgi", "apps", "import", str(path), "--code", code, "--json"))

    def run(self, *command: str) -> str:
        """Run one of the project's commands in this stack; its output. Raises AssertionError where it fails."""
        line = [sys.executable, "-m", *command]
        done = subprocess.run(
            line, env=self.env, cwd=PROJECT, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
        assert done.returncode == 0, (
            f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
        return done.stdout

    def health(self) -> Any:
        answer = requests.get(self.base_url + "/health", timeout=5)
        return answer.json() if answer.ok else None

    def wait_for_health(self) -> None:
        """Until web, servers and a worker say that they are well."""
        self._wait(self.health, "/health")

    def model_requests(self) -> list[dict[str, Any]]:
        """What the scripted model recorded."""
        return list(requests.get(f"http://127.0.0.1:{self._model_port}/_requests", timeout=5).json())

    def forget_model_requests(self) -> None:
        requests.delete(f"http://127.0.0.1:{self._model_port}/_requests", timeout=5)

    def unfinished(self) -> dict[str, int]:
        """What is not at rest yet: tasks in the tables, in the queue, under a lease."""
        with contextlib.closing(psycopg2.connect(self.postgres.url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tasks WHERE status = 'running'")
            running = int(cursor.fetchone()[0])
        client = self.redis_client()
        counts = {
            "running": running,
            "queued": int(client.llen("generations")),
            "leased": int(client.zcard("frontdesk:leases")),
        }
        return {name: count for name, count in counts.items() if count}

    def logs(self) -> str:
        """The end of every process's log."""
        return "\n".join(child.tail() for child in (self.model, *self.workers, self.web) if child is not None)

    def _child(self, name: str, module: str, *options: str) -> Child:
        command = [sys.executable, "-m", module, *options]
        kind = name.partition("@")[0]
        return Child(name, command, self._environment(kind), self.directory / f"{kind}.log", PROJECT)

    def _environment(self, kind: str) -> dict[str, str]:
        """The environment of a process of this kind: `web`, `worker1`, `beat`, `model` …"""
        return self.env

    def _wait(self, ready: Any, what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(requests.RequestException):
                if ready():
                    return
            dead = [
                child.tail() for child in (self.model, self.web, *self.workers) if child is not None and not child.alive
            ]
            assert not dead, "a process ended early:\n" + "\n".join(dead)
            assert time.monotonic() < deadline, f"{what} is not ready after {START_SECONDS} s\n{self.logs()}"
            time.sleep(0.05)


def _ports_of(pid: int) -> set[int]:
    """The local ports of a process's connections."""
    return {used.laddr.port for used in psutil.Process(pid).net_connections("tcp4") if used.laddr}


def stop_on_signals() -> None:
    """Let SIGTERM end this process like Ctrl-C does, so that what it started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

"""Run everything on one machine, `make run`: start the servers whose address is not set, serve, end all together."""

import errno
import fcntl
import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import IO

import requests

from app.embedded.prepared import PreparedDatabase
from app.embedded.process import CannotStart
from app.embedded.product_processes import SupervisedProcess, start_processes, stop_processes
from app.embedded.servers import EmbeddedServers
from app.providers.http.outgoing import DIRECT
from config import EMBEDDED_STATE, Config, InvalidSetting

HEALTH_SECONDS = 60.0
# DRAIN_SECONDS of workers here: a developer's Ctrl-C must not wait for long answers.
DRAIN = "2"


class Launcher:
    """One `make run`: starts the servers, prepares the database, then supervises web, workers and beat."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._servers = EmbeddedServers(config, self._say)
        self._children: list[SupervisedProcess] = []
        self._state = config.DATA_DIR / EMBEDDED_STATE

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM. Raises CannotStart."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._ended.set())
        _check_port(self._config.HOST, self._config.PORT)
        try:
            self._start()
            self._watch()
        finally:
            self._stop()

    def _start(self) -> None:
        self._say(f"Starting; data in {self._config.DATA_DIR}")
        self._servers.start()
        settings = {
            "LOG_FORMAT": "console",
            "LOG_LEVEL": "WARNING",
            "DEPLOY_ENV": "DEVELOPMENT",
            "PAGES_INDEX": "on",
            "DRAIN_SECONDS": DRAIN,
            "DATA_DIR": str(self._config.DATA_DIR),
            "PUBLIC_URL": self._config.PUBLIC_URL,
            "WEB_APP_AUTH": self._config.WEB_APP_AUTH,
        } | self._servers.settings
        _write_private(
            self._state, json.dumps({name: value for name, value in settings.items() if name != "DATA_DIR"}, indent=2)
        )
        environment = settings | self._config.ENVIRONMENT | {"DATA_DIR": str(self._config.DATA_DIR)}
        apps = self._prepare(environment)
        beat_file = str(self._config.DATA_DIR / "beat-schedule")
        self._children = start_processes(
            environment, self._config.WORKER_PROCESSES, self._config.WORKER_THREADS, beat_file
        )
        self._children += [
            SupervisedProcess(server.name, server.spawn, server.process) for server in self._servers.model_servers
        ]
        self._wait_for_health()
        if not self._ended.is_set():
            self._welcome(apps)

    def _prepare(self, environment: dict[str, str]) -> list[dict[str, str]]:
        """Bring tables and sample apps up to date, unless the last start did; returns the sample apps."""
        kept = PreparedDatabase(self._config.DATA_DIR / "prepared.json", environment["DATABASE_URL"], self._url)
        known = kept.apps()
        if known is not None:
            return known
        self._say("Bringing the tables up to date, importing sample apps")
        command = [sys.executable, "-m", "app.embedded.preparation", self._url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise CannotStart(f"The database could not be prepared: {reason}")
        apps: list[dict[str, str]] = json.loads(done.stdout.strip().splitlines()[-1])
        kept.keep(apps)
        return apps

    def _wait_for_health(self) -> None:
        self._say("Starting web, workers and beat")
        deadline = time.monotonic() + HEALTH_SECONDS
        while not self._ended.wait(0.05):
            if self._health():
                return
            dead = next((child for child in self._children if child.process.poll() is not None), None)
            if dead is not None:
                raise CannotStart(f"{dead.name} does not start; its output above says why.")
            if time.monotonic() > deadline:
                raise CannotStart(f"The server is not healthy after {HEALTH_SECONDS:.0f} s; see {self._url}/health.")

    def _health(self) -> bool:
        try:
            return requests.get(f"{self._url}/health", timeout=5, proxies=DIRECT).ok
        except requests.RequestException:
            return False

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            lost = self._servers.lost()
            if lost:
                raise CannotStart(
                    f"{lost} ended unexpectedly, so everything ends; its log is in {self._config.DATA_DIR}."
                )
            for child in self._children:
                child.restart_if_ended(self._say)

    def _stop(self) -> None:
        self._say("Stopping")
        stop_processes(
            self._children,
            self._config.DRAIN_SECONDS if "DRAIN_SECONDS" in self._config.ENVIRONMENT else float(DRAIN) + 8,
        )
        self._servers.stop()
        self._state.unlink(missing_ok=True)

    @property
    def _url(self) -> str:
        host = "127.0.0.1" if self._config.HOST in ("0.0.0.0", "::") else self._config.HOST
        return f"http://{host}:{self._config.PORT}"

    def _operator_token(self) -> str:
        """Return the token that was made for this installation; not one that its owner has set."""
        made = self._servers.settings.get("OPERATOR_TOKEN")
        return f"token {made}" if made else "with your OPERATOR_TOKEN"

    def _say(self, sentence: str) -> None:
        print(f"[{time.monotonic() - self._began:5.1f} s] {sentence}", flush=True)

    def _welcome(self, apps: list[dict[str, str]]) -> None:
        self._say("Ready.\n")
        self._tell_pages(apps)
        print(f"  Swagger UI   {self._url}/api/docs")
        print(f"  operators    {self._url}/operator   {self._operator_token()}\n")
        print("  Talk to the sample apps here (Ctrl-C stops an answer, and then leaves):\n")
        width = max((len(self._talk(app["code"])) for app in apps), default=0)
        for app in apps:
            print(f"  {self._talk(app['code']):<{width}}  {app['mode']:<14} {app['name']}")
        print("\n  Or ask them by the API:\n")
        for app in apps:
            print(f"{app['curl']}\n")
        print("  Ctrl-C ends everything; your data stays.", flush=True)

    def _talk(self, code: str) -> str:
        """Return the command that talks to an app; it finds this server by its data folder."""
        given = self._config.ENVIRONMENT.get("DATA_DIR")
        return f"{f'DATA_DIR={shlex.quote(given)} ' if given else ''}make chat APP={code}"

    def _tell_pages(self, apps: list[dict[str, str]]) -> None:
        """Print the addresses of the apps' pages, and what to expect of the model behind them."""
        if self._config.PAGES == "on":
            print("  Open in a browser:\n")
            for app in apps:
                print(f"  {self._url + app['page']:<44} {app['name']}")
            print()
        if not any((self._config.OPENAI_BASE_URL, self._config.MODELS_FILE, self._config.LOCAL_MODEL_FILE)):
            print("  The little model that answers here is a toy; for a real one start with OPENAI_BASE_URL,")
            print("  OPENAI_API_KEY and MODEL_NAME set (app/docs/models.md).\n")


class _sole_use:
    """Locks a data folder for this process; the kernel releases the lock however we end. Raises CannotStart."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        self._file: IO[str] | None = None

    def __enter__(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = (self._directory / "lock").open("a")
        except OSError as problem:
            raise CannotStart(
                f"The data folder {self._directory} cannot be used ({problem.strerror}); set DATA_DIR to another."
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(f"Another `make run` uses {self._directory}: end it, or set DATA_DIR and PORT.") from None

    def __exit__(self, *_: object) -> None:
        assert self._file is not None
        self._file.close()


def _check_port(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            taken = f"Port {port} of {host} is in use, maybe by another `make run`"
            raise CannotStart(f"{taken}: end that program, or take another port: `make run PORT={port + 1}`.") from None
        raise CannotStart(f"{host}:{port} cannot be used ({problem.strerror}); set HOST or PORT to another.") from None


def _write_private(file: pathlib.Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)


def main() -> None:
    """Launch, and end with one line on stderr if something cannot be started."""
    try:
        directory = Config().DATA_DIR
        with _sole_use(directory):
            # A launcher that was killed leaves the file behind; its servers have ended with it.
            (directory / EMBEDDED_STATE).unlink(missing_ok=True)
            Launcher(Config()).run()
    except (CannotStart, InvalidSetting) as problem:
        sys.exit(f"frontdesk: {problem}")


if __name__ == "__main__":
    main()

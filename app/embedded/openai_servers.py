"""Start the servers that speak OpenAI's protocol under `make run`: the local model, embeddings, speech."""

import importlib.util
import pathlib
import subprocess
import sys
from collections.abc import Sequence

import requests

from app.embedded.embedding_engine import MODEL as EMBEDDING_MODEL
from app.embedded.ports import ReservedPort
from app.embedded.process import CannotStart, spawn, stop, wait_until_ready
from app.embedded.weights import find_weights
from app.providers.http.outgoing import DIRECT
from config import Config

MODEL_CONTEXT = "4096"
AUDIO_PACKAGES = ("espeakng_loader", "pocketsphinx", "lameenc", "miniaudio")


class OpenAiServer:
    """One server process, on the same port each time that it is started.

    `name` and `about` are for people; `settings` are those that make the app use it.
    """

    def __init__(self, name: str, about: str, module: str, arguments: Sequence[str], log: pathlib.Path) -> None:
        self.name, self.about = name, about
        self.settings: dict[str, str] = {}
        self._log = log
        self._port = ReservedPort()
        self._command = [sys.executable, "-m", module, *arguments, str(self._port)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """The address to which the paths of OpenAI's protocol are added."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process of the last start."""
        assert self._process is not None, "not started"
        return self._process

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the process without waiting for it."""
        self._process = spawn(self._command, self._log)
        return self._process

    def wait(self) -> None:
        """Wait until the server answers. Raises CannotStart."""
        wait_until_ready(self.process, self._answers, self.name.capitalize(), self._log)

    def stop(self) -> None:
        """End the process, if it runs."""
        stop(self._process)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/models", timeout=1, proxies=DIRECT).ok
        except requests.RequestException:
            return False


def model_server(config: Config) -> OpenAiServer:
    """Return the server of the local model, not yet started. Raises CannotStart if its weights are missing."""
    weights = find_weights(config.LOCAL_MODEL, config.DATA_DIR / "weights.json")
    log = config.DATA_DIR / "logs" / "model.log"
    server = OpenAiServer("the local model", weights.path.name, "app.embedded.model_server", [str(weights.path)], log)
    server.settings = {
        "OPENAI_BASE_URL": server.base_url,
        "MODEL_NAME": "local",
        "MODEL_CONTEXT": MODEL_CONTEXT,
        "LOCAL_MODEL_FILE": weights.path.name,
        "LOCAL_MODEL_SHA256": weights.sha256,
    }
    return server


def embedding_server(config: Config) -> OpenAiServer:
    """Return the server of the local embedding model, not yet started."""
    log = config.DATA_DIR / "logs" / "embedding.log"
    about = f"{EMBEDDING_MODEL}, loaded on first use"
    server = OpenAiServer("the embedding server", about, "app.embedded.embedding_server", [], log)
    server.settings = {"EMBEDDING_BASE_URL": server.base_url, "EMBEDDING_MODEL": EMBEDDING_MODEL}
    return server


def audio_server(config: Config) -> OpenAiServer:
    """Return the speech server, not yet started. Raises CannotStart if a package of its engines is missing."""
    missing = [name for name in AUDIO_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise CannotStart(
            f"The package {missing[0]} is missing: install app/requirements/embedded.txt, or set AUDIO_BASE_URL."
        )
    log = config.DATA_DIR / "logs" / "audio.log"
    server = OpenAiServer("the speech server", "loads its engines on first use", "app.embedded.audio_server", [], log)
    server.settings = {"AUDIO_BASE_URL": server.base_url}
    return server

"""`make run` as its user sees it: one command, one line if it cannot start, no process left behind."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
import requests

from app.embedded.ports import ReservedPort
from tests.support.child import runs
from tests.support.paths import PROJECT

INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


class Launched:
    """A running `python -m app.embedded.run`, its output so far, and all processes that it ever had."""

    def __init__(self, directory: pathlib.Path, **settings: str) -> None:
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment |= {
            "DATA_DIR": str(directory),
            "PYTHONUNBUFFERED": "1",
            "WEB_WORKERS": "1",
            "WORKER_PROCESSES": "1",
            # Nobody listens there: what runs on this machine must not ask a company's proxy for itself.
            "HTTP_PROXY": "http://127.0.0.1:9",
        } | settings
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.embedded.run"],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str, seconds: float = 150) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None and time.monotonic() < deadline, self.output
            time.sleep(0.02)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        self._reader.join(5)
        return code


@pytest.fixture
def port() -> Iterator[ReservedPort]:
    port = ReservedPort()
    yield port
    port.release()


@pytest.fixture
def launched(tmp_path: pathlib.Path, port: ReservedPort) -> Iterator[Launched]:
    launched = Launched(tmp_path / "data", PORT=str(port))
    launched.port = str(port)
    yield launched
    if launched.process.poll() is None:
        launched.end()


def ask(launched: Launched, query: str) -> str:
    """A streamed answer of the sample app, as text."""
    base = f"http://127.0.0.1:{launched.port}/api"
    passport = requests.get(f"{base}/passport", headers={"X-App-Code": "chat"}, timeout=10).json()["access_token"]
    body = {"inputs": {}, "query": query, "response_mode": "streaming"}
    answer = requests.post(f"{base}/chat-messages", json=body, headers={"X-App-Passport": passport}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_it_serves_the_sample_app_with_the_local_model_and_ends_cleanly(launched, tmp_path):
    launched.wait_for("Ctrl-C ends everything")
    frames = [json.loads(line[6:]) for line in ask(launched, "Say hello.").splitlines() if line.startswith("data: ")]
    assert frames[-1]["event"] == "message_end"
    assert "".join(frame.get("answer", "") for frame in frames).strip()
    model = requests.get(f"http://127.0.0.1:{launched.port}/health", timeout=10).json()["model"]
    assert model["state"] == "up" and len(model["sha256"]) == 64
    family = launched.family()
    assert launched.end(signal.SIGINT) == 0
    assert not [process for process in family if runs(process)]
    assert not (tmp_path / "data" / "embedded.json").exists()


def test_it_serves_speech_and_transcription(launched):
    launched.wait_for("Ctrl-C ends everything")
    base = f"http://127.0.0.1:{launched.port}/api"
    passport = {
        "X-App-Passport": requests.get(f"{base}/passport", headers={"X-App-Code": "chat"}, timeout=10).json()[
            "access_token"
        ]
    }
    speech = requests.post(
        f"{base}/text-to-audio", json={"text": "Please call me tomorrow morning."}, headers=passport, timeout=60
    )
    assert (speech.status_code, speech.headers["Content-Type"]) == (200, "audio/mpeg")
    recording = {"file": ("temp.mp3", speech.content, "audio/mp3")}
    heard = requests.post(f"{base}/audio-to-text", files=recording, headers=passport, timeout=60)
    assert heard.status_code == 200, heard.text
    assert "tomorrow" in heard.json()["text"]


def test_a_dead_model_is_told_and_started_again(launched):
    launched.wait_for("Ctrl-C ends everything")
    (model,) = [process for process in launched.family() if "app.embedded.model_server" in process.cmdline()]
    model.kill()
    model.wait(5)
    assert '"event":"error"' in ask(launched, "Say hello.")
    assert requests.get(f"http://127.0.0.1:{launched.port}/health", timeout=10).json()["model"]["state"] in (
        "down",
        "up",
    )
    launched.wait_for("the local model ended")


def test_a_second_start_on_the_same_data_is_refused_in_one_line(launched, tmp_path, port):
    launched.wait_for("Starting")
    second = Launched(tmp_path / "data", PORT=str(port))
    assert second.process.wait(20) == 1
    second._reader.join(5)
    assert second.output.startswith("frontdesk: Another `make run` uses")
    assert second.output.count("\n") == 1


def test_a_taken_port_is_told_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = Launched(tmp_path, PORT=str(port))
        assert refused.process.wait(20) == 1
    refused._reader.join(5)
    assert f"Port {port} of 127.0.0.1 is in use" in refused.output and refused.output.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://127.0.0.1:9/x"),
        ("REDIS_URL", "redis://127.0.0.1:9"),
        ("LOCAL_MODEL", "/nowhere.gguf"),
        ("PORT", "x"),
    ],
)
def test_what_cannot_be_reached_is_named(tmp_path, port, name, value):
    refused = Launched(tmp_path, **{"PORT": str(port), name: value})
    assert refused.process.wait(30) == 1
    refused._reader.join(5)
    assert refused.lines[-1].startswith("frontdesk: ") and name in refused.lines[-1]
    assert "Traceback" not in refused.output

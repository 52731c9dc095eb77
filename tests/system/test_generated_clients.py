"""Clients that generators make from the OpenAPI 3.1 document, on a whole visit to the running server."""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest
import requests

from tests.support.paths import PROJECT
from tests.support.stack import CHAT_APP, Stack

VISITS = PROJECT / "tests" / "support" / "generated_clients"
SECONDS = 120
VISITED = {
    "answer": "tok0 tok1 tok2",
    "history": ["Hi", "Again"],
    "uploaded": "note.txt",
    "conversations": 1,
    "left": 0,
    "error": "not_found",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory):
    with Stack(tmp_path_factory.mktemp("stack"), web_workers=1, worker_processes=1, chunks=3, delay_ms=1) as stack:
        stack.import_app(CHAT_APP, "chat")
        yield stack


@pytest.fixture
def document(stack, tmp_path) -> pathlib.Path:
    file = tmp_path / "document.json"
    file.write_text(requests.get(f"{stack.base_url}/api/openapi.json", timeout=10).text)
    return file


def run(*command: str | pathlib.Path, folder: pathlib.Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_python_client_makes_a_visit(stack, document, tmp_path):
    generator = pathlib.Path(sys.executable).with_name("openapi-python-client")
    run(generator, "generate", "--path", document, "--meta", "none", "--output-path", "web_api", folder=tmp_path)
    told = run(sys.executable, VISITS / "visit.py", stack.base_url, "chat", folder=tmp_path)
    assert json.loads(told) == VISITED


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed: no TypeScript client is generated")
def test_a_typescript_client_makes_a_visit(stack, document, tmp_path):
    for file in ("package.json", "package-lock.json", "visit.ts", "tsconfig.json"):
        shutil.copy(VISITS / file, tmp_path)
    run("npm", "ci", "--silent", "--no-audit", "--no-fund", folder=tmp_path)
    run("npx", "openapi-typescript", document, "--output", "schema.d.ts", folder=tmp_path)
    run("npx", "tsc", folder=tmp_path)
    told = run("node", "visit.js", stack.base_url, "chat", folder=tmp_path)
    assert json.loads(told) == VISITED

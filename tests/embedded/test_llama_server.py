"""A server of OpenAI's protocol that is not ours: llama.cpp's, with the small model of `make run`."""

import pathlib
import sys
from collections.abc import Iterator

import pytest
import requests

from app.embedded.ports import ReservedPort
from app.embedded.process import spawn, stop, wait_until_ready
from app.embedded.weights import find_weights
from app.providers.cancellation import Cancellation
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.providers.models.embeddings import EmbeddingModel
from app.providers.models.endpoint import Endpoint
from app.providers.models.model_checks import check
from app.providers.models.routes import ModelRoutes

QUESTION = [ModelMessage("user", "Name a colour.")]
TOOL = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
TABLE = """
endpoints:
  llama: {base_url: $LLAMA_URL}
models:
  - {provider: "*", name: local, kind: speech, endpoint: llama}
"""


def is_ready(address: str) -> bool:
    try:
        return requests.get(address, timeout=1).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("llama")
    weights, port, log = find_weights("", folder / "weights.json"), ReservedPort(), folder / "log"
    process = spawn([sys.executable, "-m", "tests.support.llama_server", str(weights.path), str(port)], log)
    address = f"http://127.0.0.1:{port}"
    wait_until_ready(process, lambda: is_ready(f"{address}/health"), "llama.cpp's server", log)
    yield f"{address}/v1"
    stop(process)
    port.release()


def test_it_chats_counts_and_takes_tools(base_url: str) -> None:
    model = ChatModel(Endpoint(base_url), "local")

    chunks = list(model.stream(QUESTION, {"max_tokens": 3, "temperature": 0, "tools": [TOOL]}))

    assert "".join(chunk.text for chunk in chunks).strip()
    assert chunks[-1].finish_reason in ("length", "stop")
    assert chunks[-1].usage is not None and 0 < chunks[-1].usage.completion_tokens <= 3
    assert model.takes("tools")


def test_it_embeds(base_url: str) -> None:
    one, same, other = EmbeddingModel(Endpoint(base_url), "local").embed(["red", "red", "a long way"], Cancellation())

    assert len(one) == len(other) > 100
    assert one == pytest.approx(same, abs=1e-3)
    assert one != pytest.approx(other, abs=1e-3)


def test_a_check_says_what_it_does_not_make(base_url: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "models.yml").write_text(TABLE)
    routes = ModelRoutes.from_settings(str(tmp_path / "models.yml"), "", "", "", {"LLAMA_URL": base_url})

    result = check(routes, routes.describe()[0])
    assert result.failed and result.said.endswith("makes no speech.")

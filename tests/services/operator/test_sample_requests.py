"""The command line that `apps import` prints."""

import json
import shlex

import pytest

from app.services.definitions.app_file import AppDefinition
from app.services.operator.sample_requests import sample_request
from tests.support.factories import chat_definition
from tests.support.workflow.graphs import end, graph, start


def body_of(line: str) -> dict:
    words = shlex.split(line)
    return json.loads(words[words.index("-d") + 1])


def of(definition) -> str:
    return sample_request("http://127.0.0.1:5001", "my-code", AppDefinition.read(definition))


@pytest.mark.parametrize(
    ("mode", "path"),
    [("chat", "chat-messages"), ("agent-chat", "chat-messages"), ("completion", "completion-messages")],
)
def test_it_asks_by_the_mode_s_address(mode, path):
    definition = chat_definition()
    definition["app"]["mode"] = mode
    line = of(definition)
    assert f"http://127.0.0.1:5001/api/{path}" in line and "X-App-Code: my-code" in line and "\n" not in line
    assert body_of(line)["response_mode"] == "streaming"
    assert ("query" in body_of(line)) == (path == "chat-messages")


def test_it_fills_in_what_is_required():
    form = {"a": "text-input", "n": "number", "b": "checkbox", "o": "json_object", "f": "file", "l": "file-list"}
    drawn = graph(start(**form, s="select", free="text-input"), end())
    for field in drawn["nodes"][0]["data"]["variables"]:
        field["required"] = field["variable"] != "free"
        field["options"] = ["it's", "b"]
    line = of({"app": {"name": "F", "mode": "workflow"}, "workflow": {"graph": drawn}})
    file = {"type": "document", "transfer_method": "remote_url", "url": "https://example.com/FILE"}
    assert "/api/workflows/run" in line
    assert body_of(line)["inputs"] == {
        "a": "Hello",
        "n": 1,
        "b": True,
        "o": {},
        "f": file,
        "l": [file],
        "s": "it's",
    }


def test_an_empty_default_is_no_value():
    definition = chat_definition()
    field = {"variable": "topic", "label": "Topic", "required": True, "default": ""}
    definition["model_config"]["user_input_form"] = [{"text-input": field}]
    assert body_of(of(definition))["inputs"] == {"topic": "Hello"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:5001", "http://localhost:5001", "http://[::1]:5001"])
def test_no_proxy_is_asked_for_this_machine(url):
    line = sample_request(url, "my-code", AppDefinition.read(chat_definition()))
    assert shlex.split(line)[:4] == ["curl", "-sN", "--noproxy", "*"] and line.count("--noproxy '*'") == 2


def test_another_machine_may_be_behind_a_proxy():
    line = sample_request("https://desk.example.com", "my-code", AppDefinition.read(chat_definition()))
    assert "--noproxy" not in line

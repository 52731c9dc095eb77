"""Keys of app files that nothing reads."""

import copy
import pathlib
from typing import Any

import pytest

from app.services.definitions import yaml_documents
from app.services.operator.unknown_keys import MOST_SENTENCES, unknown_keys
from tests.support.factories import chat_definition
from tests.support.paths import PROJECT
from tests.support.workflow.graphs import answer, graph, node, start

SAMPLES = sorted((PROJECT / "app" / "samples").glob("*.yml"))


def flow(*nodes: dict[str, Any], **workflow: Any) -> dict[str, Any]:
    drawn = graph(start(), *nodes, "start > answer")
    return {"version": "0.6.0", "kind": "app", "app": {"name": "F", "mode": "advanced-chat"}} | {
        "workflow": {"graph": drawn, "features": {}} | workflow
    }


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_has_none(path: pathlib.Path) -> None:
    assert unknown_keys(yaml_documents.read(path.read_bytes())) == []


@pytest.mark.parametrize(
    ("place", "key", "meant"),
    [
        ((), "wrkflow", "workflow"),
        (("app",), "icon_backgroud", "icon_background"),
        (("model_config",), "pre_promtp", "pre_prompt"),
        (("model_config",), "openning_statement", "opening_statement"),
        (("model_config", "model"), "completion_param", "completion_params"),
        (("model_config", "agent_mode"), "max_iterations", "max_iteration"),
        (("model_config", "file_upload"), "number_limit", "number_limits"),
    ],
)
def test_a_misspelt_key_is_told_with_the_one_that_was_meant(place: tuple[str, ...], key: str, meant: str) -> None:
    definition = copy.deepcopy(chat_definition())
    part: Any = definition
    for step in place:
        part = part.setdefault(step, {})
    part.pop(meant, None)
    part[key] = "x"
    (sentence,) = unknown_keys(definition)
    assert sentence.endswith(f"the key {key!r} is unknown and not read; did you mean {meant!r}?")
    assert sentence.startswith(".".join(place))


def test_a_key_of_an_upper_level_that_is_like_no_other_is_told_alone() -> None:
    assert unknown_keys(chat_definition(unheard_of=1) | {"more": 1}) == [
        "the key 'more' is unknown and not read.",
        "model_config: the key 'unheard_of' is unknown and not read.",
    ]


@pytest.mark.parametrize(
    ("part", "key", "meant"),
    [
        (node("ask", "llm", model={}, prompt_tempalte=[]), "prompt_tempalte", "prompt_template"),
        (node("ask", "llm", model={"provider": "p", "naem": "x"}), "naem", "name"),
        (node("run", "code", code="", output={}), "output", "outputs"),
        (node("get", "http-request", url="", methode="get"), "methode", "method"),
        (node("if", "if-else", cases=[{"case_id": "1", "condition": []}]), "condition", "conditions"),
        ({"id": "x", "parentID": "y", "data": {"type": "answer", "title": "x", "answer": ""}}, "parentID", "parentId"),
    ],
)
def test_a_misspelt_key_of_a_node_is_told_with_its_title(part: dict[str, Any], key: str, meant: str) -> None:
    (sentence,) = unknown_keys(flow(answer("x"), part))
    assert f"the key {key!r} is unknown and not read; did you mean {meant!r}?" in sentence
    assert sentence.startswith("node ") and str(part["data"]["title"]) in sentence


def test_a_misspelt_key_of_a_form_and_of_an_edge_is_told() -> None:
    definition = flow(answer("x"))
    definition["workflow"]["graph"]["nodes"][0]["data"]["variables"] = [{"variable": "a", "lable": "A", "type": "x"}]
    definition["workflow"]["graph"]["edges"][0]["source_handle"] = "source"
    del definition["workflow"]["graph"]["edges"][0]["sourceHandle"]
    said = "\n".join(unknown_keys(definition))
    assert "'lable' is unknown and not read; did you mean 'label'" in said
    assert "edges[0]: the key 'source_handle'" in said
    form = [{"text-input": {"variable": "a", "label": "A", "requird": True}}]
    assert "did you mean 'required'" in unknown_keys(chat_definition(user_input_form=form))[0]


def test_what_editors_write_for_themselves_is_known() -> None:
    drawn = node("code", "code", code="", desc="", selected=False, isInIteration=False, _targetBranches=[], plugin="x")
    drawn |= {"position": {"x": 1, "y": 2}, "positionAbsolute": {}, "selected": True, "width": 244, "height": 90}
    drawn |= {"sourcePosition": "right", "targetPosition": "left", "zIndex": 1001, "extent": "parent", "measured": {}}
    workflow = flow(answer("x"), drawn, rag_pipeline_variables=[])
    workflow["workflow"]["graph"]["viewport"] = {"x": 0, "y": 0, "zoom": 1}
    assert unknown_keys(workflow) == []


def test_many_are_not_all_told() -> None:
    said = unknown_keys(chat_definition(**{f"key{number}": 1 for number in range(50)}))
    assert len(said) == MOST_SENTENCES + 1 and said[-1] == "… and 30 more unknown keys."

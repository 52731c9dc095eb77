"""Files of workflows and chatflows: what imports, what is refused, what is named (contract dsl.md §3)."""

import copy

import pytest

from app.services.definitions.app_file import AppDefinition
from app.services.operator import app_files
from tests.support.workflow.graphs import answer, end, graph, node, start


def file(definition, mode="workflow", version="0.6.0", **workflow):
    return {
        "version": version,
        "kind": "app",
        "app": {"name": "Flow", "mode": mode},
        "workflow": {"graph": definition, **workflow},
    }


OLD_IF = node(
    "if",
    "if-else",
    logical_operator="and",
    conditions=[{"variable_selector": ["start", "a"], "comparison_operator": "is", "value": "x"}],
)
OLD_ASSIGNER = node(
    "keep",
    "assigner",
    assigned_variable_selector=["conversation", "v"],
    write_mode="over-write",
    input_variable_selector=["start", "a"],
)
OLD_ITERATION = node(
    "each", "iteration", iterator_selector=["start", "a"], output_selector=["in", "output"], start_node_id="in"
)
FIRST_CHILD = node(
    "in",
    "variable-aggregator",
    "each",
    variables=[["each", "item"]],
    isIterationStart=True,
    isInIteration=True,
    iteration_id="each",
)


@pytest.mark.parametrize("version", ["0.1.0", "0.1.2", "0.2.0", "0.3.1", "0.4.0", "0.5.0", "0.6.0"])
@pytest.mark.parametrize(
    "definition",
    [
        graph(start(a="text-input"), OLD_IF, end(), "start > if", "if:true > end"),
        graph(start(a="text-input"), OLD_ASSIGNER, end(), "start > keep > end"),
        graph(start(a="json_object"), OLD_ITERATION, FIRST_CHILD, end(), "start > each > end"),
        graph(start(), {"id": "note", "type": "custom-note", "data": {"type": ""}}, end(), "start > end"),
    ],
)
def test_files_of_every_version_import(version, definition):
    declared = [{"id": "1", "name": "v", "value_type": "string", "value": ""}]
    workflow = file(copy.deepcopy(definition), version=version, conversation_variables=declared)
    assert app_files.check(workflow).warnings == []


def test_an_old_file_upload_is_read():
    workflow = file(
        graph(start(), answer("x"), "start > answer"),
        "advanced-chat",
        features={"file_upload": {"image": {"enabled": True, "number_limits": 2}}},
    )
    rules = AppDefinition.read(workflow).usable_workflow().file_rules
    assert (rules.kinds, rules.most) == (frozenset({"image"}), 2)


def test_a_wrong_graph_is_refused_with_the_node_s_title():
    with pytest.raises(app_files.InvalidAppFile, match="My node"):
        app_files.check(file(graph(start(), node("x", "unheard-of", title="My node"), end(), "start > x > end")))


def test_environment_and_conversation_variables_have_values_of_their_type():
    declared = [
        {"id": "1", "name": "n", "value_type": "number", "value": "7"},
        {"id": "2", "name": "empty", "value_type": "array[string]", "value": ""},
        {"id": "3", "name": "text", "value_type": "string", "value": "x"},
    ]
    definition = file(graph(start(), end(), "start > end"), conversation_variables=declared)
    config = AppDefinition.read(definition).usable_workflow()
    assert [(variable.name, variable.first_value) for variable in config.conversation_variables] == [
        ("n", 7),
        ("empty", []),
        ("text", "x"),
    ]

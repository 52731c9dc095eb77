"""What holds for every graph: drawn at random, run whole, and run again from every point at which a worker may die."""

import random
from typing import Any

import pytest

from app.workflow.engine.graph import build
from tests.support.workflow.fake_http import FakeHttp, failing, http
from tests.support.workflow.graphs import RunRecord, end, graph, node, run, start

GRAPHS = 150
REPLAYED = 40


def draw(seed: int) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """Return a graph, its inputs, and the nodes that fail. Its end waits for all nodes: threads cannot race for it."""
    chance = random.Random(seed)
    names = [f"n{number}" for number in range(chance.randint(1, 9))]
    nodes, paths, failures = [], [], set()
    for position, name in enumerate(names):
        kind = chance.choice(["ask", "ask", "if", "guarded", "iteration"])
        sources = ["start", *names[:position]]
        if kind == "if":
            case = {
                "variable_selector": ["start", "flag"],
                "comparison_operator": "is",
                "value": chance.choice(["yes", "no"]),
            }
            nodes.append(
                node(name, "if-else", cases=[{"case_id": "yes", "logical_operator": "and", "conditions": [case]}])
            )
        elif kind == "iteration":
            nodes.append(
                node(
                    name,
                    "iteration",
                    iterator_selector=["start", "items"],
                    output_selector=[f"{name}in", "body"],
                    is_parallel=chance.random() < 0.5,
                    start_node_id=f"{name}in",
                )
            )
            nodes.append(http(f"{name}in", name, about=f"{name}-{{{{#{name}.item#}}}}"))
        else:
            guard = {"error_strategy": "fail-branch"} if kind == "guarded" else {}
            nodes.append(http(name, **guard))
            if guard and chance.random() < 0.5:
                failures.add(name)
        chosen = chance.sample(sources, min(len(sources), chance.randint(1, 2)))
        paths.extend((source, name) for source in chosen)
    kinds = {part["id"]: part["data"] for part in nodes}
    drawn = []
    for source, target in [*paths, *((name, "end") for name in names), ("start", "end")]:
        data = kinds.get(source, {})
        handles = ["yes", "false"] if data.get("type") == "if-else" else ["source"]
        if data.get("error_strategy"):
            handles = ["success-branch", "fail-branch"]
        drawn.append(f"{source}:{chance.choice(handles)} > {target}")
    outputs = end(**{name: [name, "output" if kinds[name]["type"] == "iteration" else "body"] for name in names})
    return (
        graph(start(), *nodes, outputs, *drawn),
        {"flag": chance.choice(["yes", "no"]), "items": ["a", "b"]},
        failures,
    )


def run_drawn(seed: int, **more: Any) -> tuple[RunRecord, FakeHttp, dict[str, Any]]:
    definition, inputs, failures = draw(seed)
    fake = FakeHttp(failing(*failures))
    return run(definition, inputs, services=fake.services, **more), fake, definition


def check_order(record: RunRecord, definition: dict[str, Any]) -> None:
    """Check that every node behind a taken edge ran, after all sources of its taken edges, and no other node did."""
    plan = build(definition).top
    position = {ended.execution.node_id: number for number, ended in enumerate(record.journal.ends) if not ended.frame}
    handles = {ended.execution.node_id: ended.handle for ended in record.journal.ends if not ended.frame}
    for name in position:
        if name == "start":
            continue
        taken = [
            edge.source
            for edges in plan.outgoing.values()
            for edge in edges
            if edge.target == name
            and edge.source in handles
            and plan.nodes[edge.source].takes(edge.handle, handles[edge.source])
        ]
        assert taken, f"{name} ran although nothing led to it"
        assert all(position[source] < position[name] for source in taken)
    for name, edges in plan.outgoing.items():
        for edge in edges:
            if name in handles and plan.nodes[name].takes(edge.handle, handles[name]):
                assert edge.target in position, f"{edge.target} did not run although {name} led to it"


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_every_run_ends_in_order(seed):
    record, _, definition = run_drawn(seed)
    assert record.end.status in ("succeeded", "partial-succeeded")
    check_order(record, definition)
    assert len({ended.execution.id for ended in record.journal.ends}) == len(record.journal.ends)


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_threads_change_nothing(seed):
    alone, _, _ = run_drawn(seed, spawn=lambda job: None)
    together, _, _ = run_drawn(seed)
    assert (alone.end.outputs, alone.end.status, sorted(alone.ran)) == (
        together.end.outputs,
        together.end.status,
        sorted(together.ran),
    )


@pytest.mark.parametrize("seed", range(REPLAYED))
def test_another_worker_goes_on_from_any_point(seed):
    whole, fake, definition = run_drawn(seed, spawn=lambda job: None)
    _, inputs, failures = draw(seed)
    for cut in range(1, len(whole.journal.ends)):
        past = whole.journal.ends[:cut]
        rest = FakeHttp(failing(*failures))
        again = run(definition, inputs, services=rest.services, past=past)
        assert (again.end.outputs, again.end.status, again.end.exceptions) == (
            whole.end.outputs,
            whole.end.status,
            whole.end.exceptions,
        )
        assert again.text == whole.text
        done = {ended.execution.id for ended in past}
        assert not done & {ended.execution.id for ended in again.journal.ends}
        assert sum(rest.calls.values()) == sum(fake.calls.values()) - sum(
            ended.execution.kind == "http-request" for ended in past
        )

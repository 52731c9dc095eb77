"""POST /workflows/run and its stop (contract endpoints.md; streaming.md §3.3, §4.3)."""

import io

import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine, redis_client
from app.models.identifiers import new_id
from app.services.operator import apps
from app.services.visitor import workflow_runs
from app.streams import signals
from tests.support.factories import make_graph_app
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, node, start


@pytest.fixture
def echo(client):
    """An end user of a workflow that gives its input back."""
    return WebVisitor(
        client, make_graph_app(graph(start(text="text-input"), end(result=["start", "text"]), "start > end"))
    )


def test_a_run_is_streamed(echo):
    frames = echo.run(text="hello")
    assert [frame.event for frame in frames] == [
        "workflow_started",
        "node_started",
        "text_chunk",
        "node_finished",
        "node_started",
        "node_finished",
        "workflow_finished",
    ]
    finished = frames[-1].data
    assert (finished["data"]["status"], finished["data"]["outputs"]) == ("succeeded", {"result": "hello"})


def test_a_stream_begins_with_a_ping(echo):
    assert echo.post("/workflows/run", {"inputs": {}}).get_data(as_text=True).startswith("event: ping\n\nid: 1\ndata: ")


def test_every_frame_names_run_and_task(echo):
    frames = [frame.data for frame in echo.run(text="hello") if frame.data]
    assert {tuple(sorted(frame)) for frame in frames} == {("data", "event", "task_id", "workflow_run_id")}
    assert len({(frame["workflow_run_id"], frame["task_id"]) for frame in frames}) == 1


def test_the_start_tells_the_inputs(echo):
    started = echo.run(text="hello")[0].data["data"]
    assert started["inputs"].items() >= {"text": "hello", "sys.files": [], "sys.workflow_run_id": started["id"]}.items()
    assert "sys.conversation_id" not in started["inputs"]
    assert started["reason"] == "initial"


def test_nodes_keep_their_details_to_themselves(echo):
    finished = [frame.data["data"] for frame in echo.run(text="hello") if frame.event == "node_finished"]
    assert [
        (node["node_id"], node["index"], node["inputs"], node["outputs"], node["process_data"]) for node in finished
    ] == [
        ("start", 1, None, None, None),
        ("end", 2, None, None, None),
    ]


def test_a_missing_input_is_refused_before_the_stream(client):
    needing = start()
    needing["data"]["variables"] = [{"variable": "text", "label": "Text", "type": "text-input", "required": True}]
    visitor = WebVisitor(client, make_graph_app(graph(needing, end(result=["start", "text"]), "start > end")))
    answer = visitor.post("/workflows/run", {"inputs": {}})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_param")


def test_other_apps_have_no_workflow(alice):
    answer = alice.post("/workflows/run", {"inputs": {}})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "not_workflow_app")
    answer = alice.post("/workflows/tasks/none/stop")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "not_workflow_app")


def test_a_stop_of_nothing_succeeds(echo):
    answer = echo.post("/workflows/tasks/none/stop")
    assert (answer.status_code, answer.get_json()) == (200, {"result": "success"})


def test_an_ended_run_is_one_frame_to_late_readers(echo):
    run_id = echo.run(text="hello")[0].data["workflow_run_id"]
    frames = echo.frames(echo.resume(run_id))
    assert [(frame.event, frame.data["task_id"]) for frame in frames] == [("workflow_finished", run_id)]
    assert frames[0].data["data"]["outputs"] == {"result": "hello"}


def test_a_reader_goes_on_where_it_was_cut(echo):
    frames = echo.run(text="hello")
    again = echo.frames(echo.resume(frames[0].data["workflow_run_id"], str(frames[3].number)))
    assert [frame.number for frame in again] == [frame.number for frame in frames[4:]]


def test_a_run_is_its_end_user_s_own(client, echo, charlie):
    run_id = echo.run(text="hello")[0].data["workflow_run_id"]
    assert WebVisitor(client, echo.app).resume(run_id).status_code == 404
    assert charlie.resume(run_id).status_code == 404


def test_a_failing_run_says_why(client):
    failing = node("tool", "tool", provider_id="garden", tool_name="weed")
    visitor = WebVisitor(
        client, make_graph_app(graph(start(), failing, end(result=["tool", "text"]), "start > tool > end"))
    )
    data = visitor.run()[-1].data["data"]
    assert (data["status"], data["error"]) == ("failed", "The tool 'weed' of 'garden' is not set up here.")


def test_a_running_workflow_is_stopped(client, model):
    choice = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}
    llm = node("llm", "llm", model=choice, prompt_template=[{"role": "user", "text": "Hi"}])
    visitor = WebVisitor(client, make_graph_app(graph(start(), llm, end(text=["llm", "text"]), "start > llm > end")))
    task_id = str(new_id())
    signals.request_stop(redis_client.client, task_id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflow_runs, "new_id", iter([task_id, new_id()]).__next__)
        frames = visitor.run()
    data = frames[-1].data["data"]
    assert (data["status"], data["error"], model.requests) == ("stopped", "Stopped by user.", [])


def test_a_removed_app_leaves_no_runs(client, echo):
    run_id = echo.run(text="hello")[0].data["workflow_run_id"]
    apps.remove(echo.app.code)
    with autocommit_engine().connect() as connection:
        counts = [
            connection.execute(text(f"SELECT count(*) FROM {table} WHERE {key} = :id"), {"id": run_id}).scalar_one()
            for table, key in (("workflow_runs", "id"), ("node_executions", "run_id"), ("tasks", "workflow_run_id"))
        ]
    assert counts == [0, 0, 0]


def test_an_end_user_s_file_comes_into_the_run(client):
    form = start()
    form["data"]["variables"] = [{"variable": "doc", "label": "Doc", "type": "file", "required": True}]
    extract = node("text", "document-extractor", variable_selector=["start", "doc"])
    flow = graph(form, extract, end(text=["text", "text"], name=["start", "doc", "name"]), "start > text > end")
    visitor = WebVisitor(client, make_graph_app(flow))
    uploaded = client.post(
        "/api/files/upload", headers=visitor.headers, data={"file": (io.BytesIO(b"Hello file"), "a.txt")}
    ).get_json()
    frames = visitor.run(doc={"type": "document", "transfer_method": "local_file", "upload_file_id": uploaded["id"]})
    assert frames[-1].data["data"]["outputs"] == {"text": "Hello file", "name": "a.txt"}
    assert frames[0].data["data"]["inputs"]["doc"]["filename"] == "a.txt"


def test_another_end_user_s_file_is_refused(client):
    form = start()
    form["data"]["variables"] = [{"variable": "doc", "label": "Doc", "type": "file", "required": True}]
    app = make_graph_app(graph(form, end(), "start > end"))
    alice, bob = WebVisitor(client, app), WebVisitor(client, app)
    uploaded = client.post(
        "/api/files/upload", headers=alice.headers, data={"file": (io.BytesIO(b"Hello"), "a.txt")}
    ).get_json()
    answer = bob.post(
        "/workflows/run",
        {"inputs": {"doc": {"type": "document", "transfer_method": "local_file", "upload_file_id": uploaded["id"]}}},
    )
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Invalid upload file")


def test_files_of_an_ended_run_have_links_that_work_now(client):
    form = start()
    form["data"]["variables"] = [{"variable": "doc", "label": "Doc", "type": "file", "required": True}]
    visitor = WebVisitor(client, make_graph_app(graph(form, end(doc=["start", "doc"]), "start > end")))
    uploaded = client.post(
        "/api/files/upload", headers=visitor.headers, data={"file": (io.BytesIO(b"Hello"), "a.txt")}
    ).get_json()
    frames = visitor.run(doc={"type": "document", "transfer_method": "local_file", "upload_file_id": uploaded["id"]})
    told = visitor.frames(visitor.resume(frames[0].data["workflow_run_id"]))
    first, later = (frame.data["data"]["outputs"]["doc"] for frame in (frames[-1], told[-1]))
    # Each link is signed anew.
    assert first["url"] != later["url"]
    assert first | {"url": None} == later | {"url": None}
    assert client.get(later["url"]).get_data() == b"Hello"

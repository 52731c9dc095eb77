"""The rules by which a graph runs (contract dsl.md §3.6)."""

from tests.workflow.graphs import answer, end, graph, run, start


def test_a_run_tells_what_happens_in_order():
    told = run(graph(start(text="text-input"), end(result=["start", "text"]), "start > end"), {"text": "hello"})
    assert told.named() == [
        "NodeStarted start", "NodeSucceeded start", "TextStreamed hello", "NodeStarted end", "NodeSucceeded end",
    ]  # fmt: skip
    assert (told.end.status, told.end.outputs) == ("succeeded", {"result": "hello"})


def test_the_answers_text_is_the_run_s_answer():
    told = run(graph(start(), answer("You said: {{#sys.query#}}"), "start > answer"), system={"query": "Hi"})
    assert (told.text, told.end.outputs) == ("You said: Hi", {"answer": "You said: Hi", "files": []})

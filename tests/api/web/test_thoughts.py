"""A model's thoughts in every mode of app, streamed and blocking (contract dsl.md §3.7; streaming.md §3.1)."""

import pytest

from app.services.process.silence import SILENCE
from tests.support.agents import agent
from tests.support.factories import make_graph_app
from tests.support.scripted_model.audio import spoken
from tests.support.sse import answer_text
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, end, graph, node, start

# What the model sends; the answer that is shown, and its parts: the answer without the thoughts, and the thoughts.
SAID = [
    ([], ("Let me ", "think."), "<think>\nLet me think.\n</think>\n\nFour.", "Let me think."),
    (
        ["<thi", "nk>\nLet me think.\n</th", "ink>\n\n"],
        (),
        "<think>\nLet me think.\n</think>\n\nFour.",
        "Let me think.",
    ),
    (["Let me ", "think.\n", "</think>\n\n"], (), "<think>\nLet me think.\n</think>\n\nFour.", "Let me think."),
    ([], ("\n\n",), "Four.", ""),
    (["<think>\n\n", "</think>\n\n"], (), "Four.", ""),
]
MODERATION = {
    "enabled": True,
    "type": "keywords",
    "config": {"keywords": "secret", "outputs_config": {"enabled": True, "preset_response": "No."}},
}
MODES = ["chat", "completion", "agent-chat", "advanced-chat", "workflow"]


def flow(mode, **data):
    model = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}
    llm = node("llm", "llm", model=model, prompt_template=[{"role": "user", "text": "Hi"}], **data)
    if mode == "workflow":
        return graph(start(), llm, end(text=["llm", "text"], why=["llm", "reasoning_content"]), "start > llm > end")
    return graph(start(), llm, answer("{{#llm.text#}}|{{#llm.reasoning_content#}}"), "start > llm > answer")


def visitor_of(client, mode, moderation=None, **data):
    feature = {} if moderation is None else {"sensitive_word_avoidance": moderation}
    if mode == "agent-chat":
        return agent(client, config=feature)
    if mode in ("chat", "completion"):
        return WebVisitor.of_new_app(client, mode=mode, pre_prompt="Be kind.", **feature)
    return WebVisitor(client, make_graph_app(flow(mode, **data), mode, features=feature))


def ask(visitor, mode, response_mode):
    path = {"completion": "/completion-messages", "workflow": "/workflows/run"}.get(mode, "/chat-messages")
    return visitor.post(path, {"inputs": {}, "query": "Hi", "response_mode": response_mode})


def streamed(visitor, mode):
    """The text that the frames of a streamed answer make."""
    frames = visitor.frames(ask(visitor, mode, "streaming"))
    if mode != "workflow":
        return answer_text(frames)
    text = ""
    for frame in frames:
        if frame.event == "text_chunk":
            text += frame.data["data"]["text"]
        elif frame.event == "text_replace":
            text = frame.data["data"]["text"]
    assert frames[-1].data["data"]["status"] == "succeeded"
    return text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("chunks", "reasoning", "shown", "thoughts"), SAID)
def test_thoughts_are_shown_in_think_tags(client, house, model, mode, chunks, reasoning, shown, thoughts):
    visitor = visitor_of(client, mode)
    model.script(*chunks, "Four.", reasoning=reasoning, delay=0.05)
    rest = {"advanced-chat": "|", "workflow": "\n"}.get(mode, "")
    assert streamed(visitor, mode) == shown + rest


@pytest.mark.parametrize("mode", ["advanced-chat", "workflow"])
@pytest.mark.parametrize(("chunks", "reasoning", "shown", "thoughts"), SAID)
def test_separated_thoughts_are_an_output(client, model, mode, chunks, reasoning, shown, thoughts):
    visitor = visitor_of(client, mode, reasoning_format="separated")
    model.script(*chunks, "Four.", reasoning=reasoning, delay=0.05)
    between = "\n" if mode == "workflow" else "|"
    assert streamed(visitor, mode) == f"Four.{between}{thoughts}"


@pytest.mark.parametrize("mode", ["chat", "completion", "advanced-chat"])
def test_a_blocking_answer_is_the_same(client, model, mode):
    visitor = visitor_of(client, mode)
    model.script("Let me think.\n", "</think>\n\n", "Four.", delay=0.05)
    rest = "|" if mode == "advanced-chat" else ""
    said = ask(visitor, mode, "blocking").get_json()["answer"]
    assert said == f"<think>\nLet me think.\n</think>\n\nFour.{rest}"


@pytest.mark.parametrize("mode", ["chat", "agent-chat", "advanced-chat"])
def test_what_was_shown_of_unopened_thoughts_is_taken_back(client, house, model, mode):
    visitor = visitor_of(client, mode, reasoning_format="separated")
    model.script("Let me think.\n", "</think>\n\nFour", ".", delay=0.05)
    frames = visitor.ask()
    texts = [(frame.event, frame.data["answer"]) for frame in frames if "answer" in frame.data]
    replaced = "Four" if mode == "advanced-chat" else "<think>\nLet me think.\n</think>\n\nFour"
    assert [("message_replace", replaced)] == [text for text in texts if text[0] == "message_replace"]
    assert texts[0][1] == "Let me think.\n"


@pytest.mark.parametrize("mode", ["chat", "agent-chat", "advanced-chat"])
@pytest.mark.parametrize(
    "said", [([], ("A sec", "ret.")), (["<think>A sec", "ret.</think>"], ()), (["sec", "ret"], ())]
)
def test_moderation_sees_what_is_shown(client, house, model, mode, said):
    chunks, reasoning = said
    model.script(*chunks, "Four.", reasoning=reasoning, delay=0.05)
    assert streamed(visitor_of(client, mode, MODERATION), mode) == "No."


def test_moderation_sees_the_thoughts_of_an_agent_s_rounds(client, house, model, lookup):
    visitor = agent(client, strategy="react", config={"sensitive_word_avoidance": MODERATION})
    model.script('Thought: A secret.\nAction: {"action": "lookup", "action_input": {"text": "tea"}}')
    frames = visitor.ask()
    assert (answer_text(frames), lookup.calls) == ("No.", [])
    assert not [frame for frame in frames if "secret" in str(frame.data)]


@pytest.mark.parametrize("mode", ["chat", "agent-chat"])
def test_a_model_does_not_read_its_earlier_thoughts(client, house, model, mode):
    visitor = visitor_of(client, mode)
    model.script("Four.", reasoning=("Let me think.",))
    conversation_id = visitor.ask("Two and two?")[0].data["conversation_id"]
    assert visitor.history(conversation_id)[0]["answer"] == "<think>\nLet me think.\n</think>\n\nFour."
    visitor.ask("And now?", conversation_id=conversation_id)
    said = [(message["role"], message["content"]) for message in model.requests[-1].body["messages"]]
    assert said[-3:] == [("user", "Two and two?"), ("assistant", "Four."), ("user", "And now?")]


def test_thoughts_that_are_cut_off_are_closed(client, model):
    visitor = visitor_of(client, "chat")
    model.script("", reasoning=("Let me think.",), finish="length")
    assert streamed(visitor, "chat") == "<think>\nLet me think.\n</think>\n\n"


def test_thoughts_and_signs_are_not_spoken(client, model):
    visitor = WebVisitor.of_new_app(client, text_to_speech={"enabled": True})
    model.script("# I am\n", "the [answer](https://a.example).", reasoning=("Who am I?",))
    message_id = visitor.ask()[0].data["message_id"]
    heard = visitor.post("/text-to-audio", {"message_id": message_id}).data
    assert heard == SILENCE + spoken("I am\nthe answer.", "alloy")

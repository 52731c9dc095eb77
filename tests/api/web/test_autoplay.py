"""Answers that are spoken while they are generated (contract streaming.md §3.1, §4.1)."""

import base64
import threading

import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine
from app.providers.models.routes import ModelRoutes
from app.services.generation import spoken_answers
from app.services.process.silence import SILENCE
from tests.support.factories import make_graph_app
from tests.support.parts import put_part
from tests.support.scripted_model.audio import spoken
from tests.support.sse import answer_text, find_problem
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, graph, node, start

ALOUD = {"text_to_speech": {"enabled": True, "voice": "nova", "autoPlay": "enabled"}}
STORY = ("The cat sat down on the mat. ", "It was a very fine mat, was it not? ", "Yes.")
SENTENCES = ("The cat sat down on the mat.", "It was a very fine mat, was it not?", "Yes.")


@pytest.fixture
def listener(client, model):
    return WebVisitor.of_new_app(client, **ALOUD)


def sound(frames):
    """The speech, without the silence before it."""
    heard = b"".join(base64.b64decode(frame.data["audio"]) for frame in frames if frame.event == "tts_message")
    return heard.removeprefix(SILENCE)


def events(frames):
    """The kinds of events in their order, runs of one kind as one."""
    kinds = [frame.event for frame in frames]
    return [kind for number, kind in enumerate(kinds) if number == 0 or kinds[number - 1] != kind]


def read(frames):
    """The frames behind which the text is over, and those of the speech."""
    number = next(place for place, frame in enumerate(frames) if frame.event == "message_end")
    return frames[: number + 1], frames[number + 1 :]


def test_an_answer_is_spoken_sentence_by_sentence(listener, model):
    model.script(*STORY, delay=0.06)
    frames = listener.ask()
    assert answer_text(frames) == "".join(STORY)
    assert sound(frames) == b"".join(spoken(sentence, "nova") for sentence in SENTENCES)
    assert [request.body["input"] for request in model.audio_requests] == list(SENTENCES)


def test_thoughts_and_signs_are_not_spoken(listener, model):
    model.script("**The cat sat down on the mat.** ", "And `then`?", reasoning=("Let me think about the cat. ",))
    listener.ask()
    assert [request.body["input"] for request in model.audio_requests] == ["The cat sat down on the mat.", "And then?"]


def test_a_silence_opens_the_player_with_the_first_text(listener, model):
    model.script("Yes.")
    frames = listener.ask()
    first, *rest = [base64.b64decode(frame.data["audio"]) for frame in frames if frame.event == "tts_message"]
    assert first == SILENCE and SILENCE not in rest
    kinds = [frame.event for frame in frames]
    assert kinds.index("tts_message") < kinds.index("message_end")


def test_speech_waits_until_the_player_is_open(listener, model, monkeypatch):
    # The whole speech is made at once, and so is the text.
    monkeypatch.setattr(spoken_answers, "LEAD_SECONDS", 1.5)
    model.script("Yes, it is so. ", "Well. ", "And so on.")
    frames = listener.ask()
    written, speech = read(frames)
    assert [frame.event for frame in written].count("tts_message") == 1
    assert sound(speech).startswith(spoken("Yes, it is so.", "nova"))


def test_speech_begins_while_the_text_comes_and_ends_the_stream(listener, model):
    model.script(*STORY, delay=0.3)
    frames = listener.ask()
    written, speech = read(frames)
    assert sound(written)
    assert "tts_message" in [frame.event for frame in written]
    assert events(speech)[-1] == "tts_message_end" and set(events(speech)) <= {"tts_message", "tts_message_end"}
    assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))


def test_speech_frames_have_the_envelope_of_the_mode(listener, model):
    frames = listener.ask()
    for frame in frames:
        if frame.event.startswith("tts_"):
            assert frame.data.keys() == {"event", "conversation_id", "message_id", "created_at", "task_id", "audio"}
            assert frame.data["task_id"] == frames[0].data["task_id"]
    assert frames[-1].data["audio"] == ""


def test_a_completion_is_spoken_too(client, model):
    model.script("Cats are the best of all the pets.")
    writer = WebVisitor.of_new_app(client, mode="completion", **ALOUD)
    frames = writer.frames(writer.post("/completion-messages", {"inputs": {}, "response_mode": "streaming"}))
    assert sound(frames) == spoken("Cats are the best of all the pets.", "nova")
    assert frames[-1].event == "tts_message_end" and "conversation_id" not in frames[-1].data


@pytest.mark.parametrize(
    "feature",
    [
        {"enabled": True, "autoPlay": "disabled"},
        {"enabled": True},
        {"enabled": False, "autoPlay": "enabled"},
        {"enabled": True, "autoPlay": True},
    ],
)
def test_only_apps_that_play_by_themselves_speak(client, model, feature):
    frames = WebVisitor.of_new_app(client, text_to_speech=feature).ask()
    assert find_problem(frames) is None
    assert model.audio_requests == []


def test_blocking_mode_makes_no_speech(listener, model):
    assert listener.chat(response_mode="blocking").get_json()["answer"] == "tok0 tok1 tok2"
    assert model.audio_requests == []


@pytest.mark.parametrize("marker", ["[[fail:500]]", "[[fail:quota]]", "[[fail-after:1]]"])
def test_a_voice_that_fails_spoils_no_answer(listener, model, marker):
    model.script(f"I cannot be spoken, {marker} but I can be read.")
    frames = listener.ask()
    assert answer_text(frames) == f"I cannot be spoken, {marker} but I can be read."
    assert frames[-1].event == "tts_message_end"
    assert listener.history(frames[0].data["conversation_id"])[0]["status"] == "normal"


@pytest.fixture(params=["patience", "pings"])
def little_time(request, bound_app, monkeypatch):
    """The wait for speech ends before the pings of a silent stream would take its end for lost."""
    if request.param == "patience":
        monkeypatch.setattr(spoken_answers, "WAIT_SECONDS", 0.05)
    else:
        monkeypatch.setitem(bound_app.config, "PING_SECONDS", 0.05)


def test_a_voice_that_keeps_us_waiting_is_not_waited_for(listener, model, little_time):
    model.script("Nobody will ever [[hang]] hear this one.")
    frames = listener.ask()
    assert events(frames) == ["message", "tts_message", "message_end", "tts_message_end"]
    assert sound(frames) == b""
    model.wait_for(lambda it: it.audio_requests[0].closed_early is not None)


def test_an_answer_without_words_does_not_wait_for_speech(listener, model):
    model.script("…")
    assert events(listener.ask()) == ["message", "message_end", "tts_message_end"]
    assert model.audio_requests == []


def test_an_error_is_the_end_of_the_speech_too(listener, model):
    model.script("I have hardly begun to say a thing. ", "And", error="server_error", delay=0.02)
    frames = listener.ask()
    assert frames[-1].event == "error" and "tts_message_end" not in events(frames)


def test_without_a_voice_the_answer_is_only_written(client, model, bound_app, monkeypatch, tmp_path):
    file = tmp_path / "models.yml"
    file.write_text(f"endpoints: {{here: {{base_url: {model.base_url}}}}}\ndefault: {{chat: {{endpoint: here}}}}\n")
    put_part(monkeypatch, bound_app, ModelRoutes.from_settings(str(file), "", "", "", {}))
    assert find_problem(WebVisitor.of_new_app(client, **ALOUD).ask()) is None


def test_a_moderated_answer_is_not_heard(client, model):
    moderation = {
        "enabled": True,
        "type": "keywords",
        "config": {
            "keywords": "secret",
            "outputs_config": {"enabled": True, "preset_response": "I would rather not say."},
        },
    }
    visitor = WebVisitor.of_new_app(client, **ALOUD, sensitive_word_avoidance=moderation)
    model.script("The secret word is very well hidden. ", "It is here. ", "And there.", delay=0.06)
    frames = visitor.ask()
    assert answer_text(frames) == "I would rather not say."
    _, speech = read(frames)
    assert sound(speech).endswith(spoken("I would rather not say.", "nova"))
    assert b"there" not in sound(frames)


def stop_when_it_speaks(bound_app, listener, model):
    """Stop an answer by a second request once its speech begins; to be run in a thread."""
    model.wait_for(lambda it: it.audio_requests and it.audio_requests[0].ended)
    with bound_app.app_context(), autocommit_engine().connect() as connection:
        running = text("SELECT id FROM tasks WHERE app_id = :app_id AND status = 'running'")
        task_id = connection.execute(running, {"app_id": listener.app.id}).scalar_one()
    assert (
        bound_app.test_client().post(f"/api/chat-messages/{task_id}/stop", headers=listener.headers).status_code == 200
    )


def test_a_stop_is_silence(bound_app, listener, model):
    model.script(*STORY, *(["And so on and on."] * 100), delay=0.05)
    stopping = threading.Thread(target=stop_when_it_speaks, args=(bound_app, listener, model))
    stopping.start()
    frames = listener.ask()
    stopping.join()
    _, speech = read(frames)
    assert answer_text(frames).count("And so on") < 100
    assert events(speech) == ["tts_message_end"]


def test_a_client_that_reconnects_gets_the_rest_of_the_speech(listener, model):
    model.script(*STORY)
    frames = listener.ask()
    written, speech = read(frames)
    resumed = listener.frames(listener.resume(frames[0].data["task_id"], str(written[-1].number)))
    assert resumed == speech


def test_behind_the_end_there_is_nothing(listener, model):
    frames = listener.ask()
    answer = listener.resume(frames[0].data["task_id"], str(frames[-1].number))
    assert answer.get_data() == b""


def test_speech_is_no_part_of_the_history(listener, model):
    model.script(*STORY)
    frames = listener.ask()
    (message,) = listener.history(frames[0].data["conversation_id"])
    assert message["answer"] == "".join(STORY)


def test_a_chatflow_speaks_between_its_message_s_end_and_the_run_s(client, model):
    prompt = [{"role": "user", "text": "{{#sys.query#}}"}]
    choice = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}
    flow = graph(
        start(),
        node("llm", "llm", model=choice, prompt_template=prompt),
        answer("{{#llm.text#}}"),
        "start > llm > answer",
    )
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat", features=ALOUD))
    model.script(*STORY, delay=0.06)
    frames = visitor.ask()
    assert sound(frames) == b"".join(spoken(sentence, "nova") for sentence in SENTENCES)
    assert events(frames)[-2:] == ["tts_message_end", "workflow_finished"]
    assert [frame.event for frame in frames].index("message_end") < [frame.event for frame in frames].index(
        "tts_message_end"
    )


def test_a_graph_that_cannot_run_fails_its_run(client):
    broken = graph(start(), node("x", "unheard-of"), answer("x"), "start > x > answer")
    frames = WebVisitor(client, make_graph_app(broken, "advanced-chat")).ask()
    assert (frames[-2].event, frames[-2].data["data"]["status"]) == ("workflow_finished", "failed")

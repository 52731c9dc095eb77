"""POST /audio-to-text and POST /text-to-audio (contract endpoints.md)."""

import io
import uuid

import pytest

from app.errors import ProviderProtocolError
from app.providers.models.routes import ModelRoutes
from app.services.process.silence import SILENCE
from app.services.visitor import transcription
from app.services.visitor.transcription import LARGEST_RECORDING
from tests.support.factories import chat_definition, publish
from tests.support.parts import put_part
from tests.support.recordings import AMR, M4A, MP3, OGG, WEBM, silence
from tests.support.scripted_model.audio import form_fields, spoken
from tests.support.web_client import WebVisitor

AUDIO = {"speech_to_text": {"enabled": True}, "text_to_speech": {"enabled": True}}
HELLO = silence() + b"[[say:hello world]]"
REFUSALS = [
    ("quota", 400, "provider_quota_exceeded"),
    ("bad_key", 400, "completion_request_error"),
    ("500", 400, "completion_request_error"),
]


@pytest.fixture
def talker(client, model):
    return WebVisitor.of_new_app(client, **AUDIO)


def listen(visitor, *parts, **fields):
    """Send parts (content, media type) as `file`."""
    files = [(io.BytesIO(content), "temp.mp3", media_type) for content, media_type in parts]
    return visitor.client.post(
        "/api/audio-to-text", headers=visitor.headers, data={"file": files} | fields, content_type="multipart/form-data"
    )


def speak(visitor, **body):
    return visitor.post("/text-to-audio", body)


def refusal(answer):
    body = answer.get_json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"], body["message"]


def workflow_visitor(client, mode, **features):
    definition = chat_definition() | {"workflow": {"graph": {"nodes": [], "edges": []}, "features": features}}
    definition["app"]["mode"] = mode
    return WebVisitor(client, publish(definition, f"test-{uuid.uuid4().hex}"))


# --- POST /audio-to-text


def test_a_recording_becomes_text(talker):
    answer = listen(talker, (HELLO, "audio/wav"))
    assert (answer.status_code, answer.get_json()) == (200, {"text": "hello world"})


@pytest.mark.parametrize("mode", ["advanced-chat", "workflow"])
def test_a_workflow_says_in_its_features_whether_it_listens(client, model, mode):
    deaf, hearing = (workflow_visitor(client, mode, speech_to_text={"enabled": enabled}) for enabled in (False, True))
    assert listen(hearing, (HELLO, "audio/wav")).get_json() == {"text": "hello world"}
    assert refusal(listen(deaf, (HELLO, "audio/wav"))) == (400, "invalid_param", "Speech to text is not enabled")


@pytest.mark.parametrize("mode", ["chat", "completion", "agent-chat"])
def test_every_mode_listens(client, model, mode):
    assert listen(WebVisitor.of_new_app(client, mode=mode, **AUDIO), (HELLO, "audio/wav")).get_json() == {
        "text": "hello world"
    }


@pytest.mark.parametrize(
    ("recording", "declared", "extension"),
    [
        (MP3, "audio/mp3", b"mp3"),
        (MP3, "audio/mpeg", b"mp3"),
        (MP3, "audio/mpga", b"mp3"),
        (M4A, "audio/m4a", b"m4a"),
        (AMR, "audio/amr", b"amr"),
        (silence(), "audio/wav", b"wav"),
        (WEBM, "audio/webm;codecs=opus", b"webm"),
        (OGG, "audio/ogg; codecs=opus", b"ogg"),
        (M4A, "audio/mp4;codecs=mp4a.40.2", b"m4a"),
        (WEBM, "audio/mp4", b"webm"),
    ],
)
def test_what_browsers_record_is_sent_on_under_its_true_format(talker, model, recording, declared, extension):
    assert listen(talker, (recording, declared), word_timestamps="disabled").status_code == 200
    sent = form_fields(model.audio_requests[0])
    assert (sent["file"], sent["filename"]) == (recording, b"recording." + extension)


@pytest.mark.parametrize(
    "request_of",
    [
        {"data": {"other": "x"}, "content_type": "multipart/form-data"},
        {"data": {"file": "text, not a file"}, "content_type": "multipart/form-data"},
        {"data": {"other": (io.BytesIO(MP3), "a.mp3", "audio/mp3")}, "content_type": "multipart/form-data"},
        {"data": {"file": (io.BytesIO(b""), "a.mp3", "audio/mp3")}, "content_type": "multipart/form-data"},
        {"data": {"file": (io.BytesIO(b""), "", "application/octet-stream")}, "content_type": "multipart/form-data"},
        {"data": b"--x\r\nContent-Disposition: form", "content_type": "multipart/form-data; boundary=x"},
        {"data": b"no boundary", "content_type": "multipart/form-data"},
        {"json": {}},
        {},
    ],
    ids=[
        "other field",
        "no file",
        "other file",
        "empty",
        "nothing chosen",
        "cut off",
        "no boundary",
        "JSON",
        "no body",
    ],
)
def test_no_recording_is_told_before_all_else(alice, request_of):
    answer = alice.client.post("/api/audio-to-text", headers=alice.headers, **request_of)
    assert refusal(answer) == (400, "no_audio_uploaded", "Please upload your audio.")


def test_two_recordings_are_too_many(talker):
    assert refusal(listen(talker, (HELLO, "audio/wav"), (HELLO, "audio/wav")))[:2] == (400, "too_many_files")


@pytest.mark.parametrize("feature", [{"enabled": False}, {}, {"enabled": "yes"}, None])
def test_the_feature_is_checked_before_the_type(client, feature):
    visitor = WebVisitor.of_new_app(client, speech_to_text=feature)
    assert refusal(listen(visitor, (b"x", "text/plain"))) == (400, "invalid_param", "Speech to text is not enabled")


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (HELLO, "text/plain"),
        (HELLO, "application/octet-stream"),
        (HELLO, "video/webm"),
        (HELLO, ""),
        (b"plain text", "audio/mp3"),
        (b"\x89PNG\r\n\x1a\n", "audio/wav"),
        (b"PK\x03\x04", "audio/mpeg"),
    ],
)
def test_what_is_no_audio_is_refused(talker, model, content, declared):
    assert refusal(listen(talker, (content, declared))) == (415, "unsupported_audio_type", "Audio type not allowed.")
    assert model.audio_requests == []


def test_a_recording_may_have_thirty_megabytes_and_no_more(talker, model):
    most = MP3 + bytes(LARGEST_RECORDING - len(MP3))
    assert listen(talker, (most, "audio/mp3")).status_code == 200
    assert len(form_fields(model.audio_requests[0])["file"]) == 31_457_280
    assert refusal(listen(talker, (most + b"x", "audio/mp3"))) == (
        413,
        "audio_too_large",
        "Audio size larger than 30 mb",
    )


def test_the_type_is_checked_before_the_size(talker, monkeypatch):
    monkeypatch.setattr(transcription, "LARGEST_RECORDING", 10)
    assert listen(talker, (HELLO, "text/plain")).status_code == 415
    assert listen(talker, (b"more than ten bytes", "audio/mp3")).status_code == 415
    assert listen(talker, (HELLO, "audio/wav")).status_code == 413


def test_a_form_that_is_far_too_long_is_not_read(talker):
    stream = io.BytesIO(b"x")
    answer = talker.client.post(
        "/api/audio-to-text",
        headers=talker.headers,
        input_stream=stream,
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(10**12)},
    )
    assert refusal(answer)[:2] == (413, "audio_too_large")
    assert stream.tell() == 0


@pytest.mark.parametrize(("error", "status", "code"), REFUSALS)
def test_a_listener_that_fails_has_the_code_of_a_generation(talker, error, status, code):
    assert refusal(listen(talker, (HELLO + f"[[fail:{error}]]".encode(), "audio/wav")))[:2] == (status, code)


def test_without_a_listener_it_is_said_so(bound_app, talker, monkeypatch):
    put_part(monkeypatch, bound_app, ModelRoutes.from_settings("", "", "", "", {}))
    assert refusal(listen(talker, (HELLO, "audio/wav")))[:2] == (400, "provider_not_initialize")


def test_transcription_needs_a_passport(client):
    answer = client.post("/api/audio-to-text", data={"file": (io.BytesIO(HELLO), "a.wav", "audio/wav")})
    assert refusal(answer) == (401, "unauthorized", "App token is missing.")


# --- POST /text-to-audio


def test_a_text_is_spoken(talker):
    answer = speak(talker, text="hello")
    assert (answer.status_code, answer.headers["Content-Type"], answer.data) == (
        200,
        "audio/mpeg",
        SILENCE + spoken("hello", "alloy"),
    )


def test_speech_comes_as_it_is_made(talker):
    pieces = list(speak(talker, text="hello [[delay:5]]", streaming=False).response)
    assert len(pieces) > 1


def test_a_long_text_is_spoken_in_pieces(talker, model):
    sound = speak(talker, text="The same again and again. " * 60).data
    assert len(model.audio_requests) == 3
    assert sound == SILENCE + b"".join(spoken(request.body["input"], "alloy") for request in model.audio_requests)


@pytest.mark.parametrize(
    ("feature", "wanted", "voice"),
    [
        ({}, {}, "alloy"),
        ({"voice": "nova"}, {}, "nova"),
        ({"voice": "nova"}, {"voice": "echo"}, "echo"),
        ({"voice": "nova"}, {"voice": ""}, "nova"),
        ({"voice": ""}, {"voice": None}, "alloy"),
    ],
)
def test_the_voice_is_the_callers_else_the_apps_else_the_models_first(client, model, feature, wanted, voice):
    visitor = WebVisitor.of_new_app(client, text_to_speech={"enabled": True} | feature)
    assert speak(visitor, text="hello", **wanted).data == SILENCE + spoken("hello", voice)


def test_a_model_without_voices_cannot_speak(bound_app, talker, monkeypatch, tmp_path):
    file = tmp_path / "models.yml"
    file.write_text(
        "endpoints: {mute: {base_url: http://127.0.0.1:9}}\n"
        "default: {speech: {endpoint: mute, remote_name: x, voices: []}}"
    )
    put_part(monkeypatch, bound_app, ModelRoutes.from_settings(str(file), "", "", "", {}))
    assert refusal(speak(talker, text="hello")) == (400, "invalid_param", "Sorry, no voice available.")


def test_a_message_wins_over_the_text(talker, model):
    model.script("I am the answer.")
    message_id = talker.ask()[0].data["message_id"]
    assert speak(talker, message_id=message_id, text="hello").data == SILENCE + spoken("I am the answer.", "alloy")


def test_an_empty_message_id_counts_as_absent(talker):
    assert speak(talker, message_id="", text="hi").data == SILENCE + spoken("hi", "alloy")
    assert speak(talker, message_id=None, text="hi").data == SILENCE + spoken("hi", "alloy")


def is_null(answer):
    return (answer.status_code, answer.headers["Content-Type"], answer.get_json()) == (200, "application/json", None)


def test_an_unknown_message_is_null(talker):
    assert is_null(speak(talker, message_id=str(uuid.uuid4()), text="hello"))


def test_an_empty_answer_is_null(talker, model):
    model.script("")
    assert is_null(speak(talker, message_id=talker.ask()[0].data["message_id"]))


def test_answers_of_others_are_not_spoken(client, talker):
    message_id = talker.ask()[0].data["message_id"]
    neighbour, stranger = WebVisitor(client, talker.app), WebVisitor.of_new_app(client, **AUDIO)
    assert is_null(speak(neighbour, message_id=message_id)) and is_null(speak(stranger, message_id=message_id))


def test_a_deleted_conversation_is_not_spoken(talker):
    frame = talker.ask()[0].data
    talker.delete(f"/conversations/{frame['conversation_id']}")
    assert is_null(speak(talker, message_id=frame["message_id"]))


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": None}, {"text": "  \n"}, {"message_id": "", "text": ""}, {"voice": "alloy"}]
)
def test_something_has_to_be_said(talker, body):
    assert refusal(speak(talker, **body)) == (400, "invalid_param", "Text is required")


def test_a_text_may_be_long_but_not_endless(talker, model):
    assert refusal(speak(talker, text="word " * 20_001)) == (
        400,
        "invalid_param",
        "Text must be at most 100000 characters long",
    )
    assert model.audio_requests == []


@pytest.mark.parametrize(
    "body", [{"text": 5}, {"message_id": "x", "text": "hi"}, {"text": "hi", "voice": []}, {"message_id": 7}, []]
)
def test_a_bad_body_is_refused(talker, body):
    answer = talker.post("/text-to-audio", body)
    assert refusal(answer)[:2] == (400, "invalid_param")


@pytest.mark.parametrize("voice", [None, "alloy"])
def test_the_feature_has_to_be_on(alice, model, voice):
    assert refusal(speak(alice, text="hello", voice=voice)) == (400, "invalid_param", "TTS is not enabled")
    assert model.audio_requests == []


def test_an_unknown_message_is_null_though_the_feature_is_off(alice):
    assert is_null(speak(alice, message_id=str(uuid.uuid4())))


@pytest.mark.parametrize(("error", "status", "code"), REFUSALS)
def test_a_voice_that_fails_has_the_code_of_a_generation(talker, error, status, code):
    assert refusal(speak(talker, text=f"[[fail:{error}]]"))[:2] == (status, code)


def test_speech_that_breaks_off_is_no_whole_answer(talker):
    answer = speak(talker, text="hello [[fail-after:1]]")
    assert answer.status_code == 200
    with pytest.raises(ProviderProtocolError):
        answer.get_data()


def test_a_listener_who_leaves_frees_the_model(talker, model):
    speak(talker, text="hello [[hang-after:1]]").close()
    model.wait_for(lambda it: it.audio_requests[0].closed_early is not None)


def test_speaking_needs_a_passport(client):
    assert refusal(client.post("/api/text-to-audio", json={"text": "x"})) == (
        401,
        "unauthorized",
        "App token is missing.",
    )


def test_an_end_users_limit_counts_audio_apart_from_answers(bound_app, talker, monkeypatch):
    monkeypatch.setitem(bound_app.config, "VISITOR_MINUTE_LIMIT", 2)
    assert [speak(talker, text="hi").status_code, listen(talker, (HELLO, "audio/wav")).status_code] == [200, 200]
    assert refusal(speak(talker, text="hi"))[:2] == (429, "rate_limit_error")
    assert talker.chat().status_code == 200

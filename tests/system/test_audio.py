"""Speech and transcription through real processes."""

import base64

import pytest
import requests

from app.services.process.silence import SILENCE
from tests.support.recordings import MP3, silence
from tests.support.scripted_model.audio import spoken
from tests.support.stack import TALKING_APP, Stack
from tests.support.visitor import Visitor

STORY = "The cat sat down on the mat. It was a very fine mat, was it not? Yes."


@pytest.fixture
def talker(stack: Stack) -> Visitor:
    stack.import_app(TALKING_APP, "talking")
    return Visitor(stack.base_url, "talking")


def test_an_answer_is_heard_as_it_is_read(talker: Visitor) -> None:
    stream = talker.chat(f"[[say:{STORY}]][[delay:60]]").wait_for_end()

    sound = b"".join(base64.b64decode(frame.data["audio"]) for frame in stream.frames if frame.event == "tts_message")
    assert stream.text == STORY
    assert sound == SILENCE + b"".join(
        spoken(text, "nova") for text in ("The cat sat down on the mat.", "It was a very fine mat, was it not?", "Yes.")
    )
    assert stream.events.index("tts_message") < stream.events.index("message_end")
    assert stream.events[-1] == "tts_message_end"
    assert talker.stored_answer(stream.frames[0]) == STORY


def test_a_client_that_lost_its_connection_gets_the_rest(talker: Visitor) -> None:
    stream = talker.chat(f"[[say:{STORY}]][[delay:60]]").wait_for_frames(5)
    stream.leave()
    again = talker.resume(stream.frames[0].data["task_id"], stream.last_number).wait_for_end()

    assert [frame.number for frame in (*stream.frames, *again.frames)] == list(range(1, again.last_number + 1))
    assert again.events[-1] == "tts_message_end"


def test_speech_leaves_the_server_as_it_is_made(talker: Visitor) -> None:
    text = "hello [[delay:100]]"
    answer = talker.call("POST", "/text-to-audio", json={"text": text}, stream=True)

    pieces = list(answer.iter_content(None))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/mpeg")
    assert b"".join(pieces) == SILENCE + spoken(text, "nova") and len(pieces) >= 3


def test_speech_that_breaks_off_is_seen_to_be_cut(talker: Visitor) -> None:
    answer = talker.call("POST", "/text-to-audio", json={"text": "hello [[fail-after:1]]"}, stream=True)

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        list(answer.iter_content(None))


def test_a_recording_is_heard(talker: Visitor) -> None:
    recording = {"file": ("temp.mp3", silence(2.0, 48_000) + b"[[say:hello world]]", "audio/mp3")}
    assert talker.json("POST", "/audio-to-text", files=recording, data={"word_timestamps": "disabled"}) == {
        "text": "hello world"
    }


@pytest.mark.parametrize("size", [31_457_281, 40_000_000])
def test_a_recording_that_is_too_long_is_refused_in_words(talker: Visitor, size: int) -> None:
    answer = talker.call(
        "POST", "/audio-to-text", files={"file": ("temp.mp3", MP3 + bytes(size - len(MP3)), "audio/mp3")}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "audio_too_large")
    assert talker.json("GET", "/parameters")["speech_to_text"] == {"enabled": True}

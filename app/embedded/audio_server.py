"""Serve OpenAI's two audio endpoints on 127.0.0.1: `python -m app.embedded.audio_server PORT`.

The engines are loaded by the first request that needs them: an unused server stays small.
"""

import json
import signal
import sys
import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import HTTPException, UnprocessableEntity
from werkzeug.routing import Map, Rule
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from app.embedded.recognizers import UnreadableSound, best_recognizer
from app.embedded.voices import best_voice

MOST_CHARACTERS = 4_096
MOST_BYTES = 32 * 1024 * 1024
MODELS = ("tts-1", "whisper-1")

_urls = Map(
    [
        Rule("/v1/models", endpoint="models", methods=["GET"]),
        Rule("/v1/audio/speech", endpoint="speech", methods=["POST"]),
        Rule("/v1/audio/transcriptions", endpoint="transcription", methods=["POST"]),
    ]
)
# One thread loads an engine while the others wait for it.
_loading = threading.Lock()


@Request.application
def application(request: Request) -> Any:
    """Answer a request, in OpenAI's shapes; the WSGI application."""
    request.max_content_length = MOST_BYTES
    request.max_form_memory_size = 65_536
    answers = {"models": _models, "speech": _speech, "transcription": _transcription}
    try:
        endpoint, _ = _urls.bind_to_environ(request.environ).match()
        return answers[endpoint](request)
    except UnreadableSound as problem:
        return _refusal(str(problem), 400)
    except HTTPException as problem:
        return _refusal(problem.description or problem.name, problem.code or 500)


def _models(_: Request) -> Response:
    return _json(
        {
            "object": "list",
            "data": [{"id": name, "object": "model", "created": 0, "owned_by": "local"} for name in MODELS],
        }
    )


def _speech(request: Request) -> Response:
    body = request.get_json()
    text, voice = (body.get(name) for name in ("input", "voice")) if isinstance(body, dict) else (None, None)
    if not (isinstance(text, str) and isinstance(voice, str) and 0 < len(text) <= MOST_CHARACTERS):
        raise UnprocessableEntity(f"input must be a text of 1 to {MOST_CHARACTERS} characters, and voice a name")
    if body.get("response_format", "mp3") != "mp3":
        raise UnprocessableEntity("response_format must be mp3")
    with _loading:
        engine = best_voice()
    sound: Iterable[bytes] = engine.speak(text.replace("\0", ""), voice)
    return Response(sound, mimetype="audio/mpeg")


def _transcription(request: Request) -> Response:
    file = request.files.get("file")
    if file is None:
        raise UnprocessableEntity("the form has no part 'file'")
    with _loading:
        engine = best_recognizer()
    return _json({"text": engine.transcribe(file.stream.read())})


def _refusal(message: str, status: int) -> Response:
    return _json({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}, status)


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")


def serve(port: int) -> None:
    """Serve on a port until SIGTERM."""
    server = make_server("127.0.0.1", port, application, threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))

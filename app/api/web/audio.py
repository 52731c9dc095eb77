"""POST /audio-to-text: transcribe a recording; POST /text-to-audio: speak an answer or a text."""

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import parse_body, reply
from app.api.document import REFUSALS, document, web_ns
from app.api.recordings import parse_recording
from app.api.schemas.audio import AudioBinaryResponse, AudioTranscriptResponse, TextToAudioPayload
from app.services.auth import answer_limits
from app.services.visitor import speech, transcription


@web_ns.route("/audio-to-text")
class AudioToTextResource(Resource):
    @document(
        "Convert audio to text",
        description="The words of a recording of at most 30 MB: MP3, M4A, WAV, AMR, WebM or Ogg. Nothing is kept.",
        ok=AudioTranscriptResponse,
        refusals=REFUSALS | {413: "Audio file too large", 415: "Unsupported audio type"},
        file="The recording",
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        answer_limits.count_request("audio", caller.asker)
        recording = parse_recording()
        return reply(AudioTranscriptResponse(text=transcription.transcribe(caller.app, recording)))


@web_ns.route("/text-to-audio")
class TextToAudioResource(Resource):
    @document(
        "Convert text to audio",
        description="Speech as MP3, sent as it is made: of a message's answer, or else of a text. "
        "null where the message has no answer or is not the caller's.",
        body=TextToAudioPayload,
        ok=AudioBinaryResponse,
        produces=("audio/mpeg",),
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        answer_limits.count_request("audio", caller.asker)
        body = parse_body(TextToAudioPayload)
        wanted = speech.Wanted(body.message_id, body.text or "", body.voice or "")
        sound = speech.speak(caller.app, caller.end_user.id, wanted)
        return (
            Response("null", mimetype="application/json") if sound is None else Response(sound, mimetype="audio/mpeg")
        )

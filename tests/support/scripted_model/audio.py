"""The two audio endpoints of the scripted model: markers in the text or in the recording decide their answers."""

import dataclasses
import re

from tests.support.scripted_model.behaviour import Behaviour, error_body, steered
from tests.support.scripted_model.recording import RecordedRequest
from tests.support.scripted_model.replies import LAST_CHUNK, Ending, Reply, json_reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECES = 3


def spoken(text: str, voice: str) -> bytes:
    """What stands for the MP3 of a text."""
    return f"ID3 {voice}: {text} ".encode()


def speech_reply(request: RecordedRequest, default: Behaviour) -> Reply:
    """`spoken()` in three chunks.

    [[delay:MS]], [[fail:…]], [[fail-after:N]], [[hang]], [[hang-after:N]] stand in the text.
    """
    text, voice = request.body["input"], request.body["voice"]
    behaviour = steered(dataclasses.replace(default, chunks=("",) * PIECES), text)
    if behaviour.hang:
        return Reply((), 0, 0, "hang")
    if behaviour.error is not None:
        status, body = error_body(behaviour.error)
        return Reply((json_reply(body, status),), 0, 0, "complete")
    sound = spoken(text, voice)
    size = -(-len(sound) // PIECES)
    writes = [
        b"%x\r\n%b\r\n" % (len(piece), piece)
        for start in range(0, len(sound), size)
        if (piece := sound[start : start + size])
    ]
    writes, ending = writes[: behaviour.sent_chunks()], _ending(behaviour)
    if ending == "complete":
        writes[-1] += LAST_CHUNK
    writes = [HEAD, *writes] if not writes else [HEAD + writes[0], *writes[1:]]
    return Reply(tuple(writes), behaviour.delay, len(writes), ending)


def transcription_reply(request: RecordedRequest, default: Behaviour) -> Reply:
    """What [[say:TEXT]] in the recording says; [[fail:…]] and [[hang]] work too."""
    behaviour = steered(default, request.content.decode("latin-1"))
    if behaviour.hang:
        return Reply((), 0, 0, "hang")
    if behaviour.error is not None:
        status, body = error_body(behaviour.error)
        return Reply((json_reply(body, status),), 0, 0, "complete")
    return Reply((json_reply({"text": "".join(behaviour.chunks)}),), behaviour.delay, 1, "complete")


def form_fields(request: RecordedRequest) -> dict[str, bytes]:
    """The parts of a multipart request by name; the file's name and type stand under `filename` and `type`."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    fields: dict[str, bytes] = {}
    for part in request.content.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = dict(re.findall(rb'(\w+)="([^"]*)"', head))
        fields[named[b"name"].decode()] = content.removesuffix(b"\r\n")
        if b"filename" in named:
            fields |= {"filename": named[b"filename"], "type": head.rpartition(b"Content-Type: ")[2]}
    return fields


def _ending(behaviour: Behaviour) -> Ending:
    if behaviour.fail_after is not None:
        return "drop"
    return "complete" if behaviour.hang_after is None else "hang"

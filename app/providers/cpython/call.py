"""One call of code, in a child of the zygote: read it, run it, write its result, end.

Messages as the worker sends them (sandbox/messages.py): four bytes of length and JSON. This side has only what the
standard library offers.
"""

import base64
import json
import os
import random
import resource
import struct
import sys
import threading
import types
from typing import Any

LARGEST_RESULT = 16 * 1024 * 1024
DEEPEST = 1_000
FILE = "<code>"
# Not a name of a module that code may import.
MODULE = "code_node"
LONGEST_MESSAGE = 2_000

_worker = -1
_asking = threading.Lock()


def serve(worker: int) -> None:
    """Run the call that comes by the descriptor `worker`."""
    global _worker
    _worker = worker
    request = receive()
    seconds = int(request["seconds"]) + 2
    # The worker has the process killed earlier; this is for the case that the worker is gone.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    _forget_what_was_random()
    sys.setrecursionlimit(DEEPEST)
    answer = _run(request["code"], request["inputs"])
    try:
        send(answer)
    except (MemoryError, RecursionError):
        send({"error": "The code went over the limit of memory.", "kind": "MemoryError"})


def ask(message: dict[str, Any]) -> dict[str, Any]:
    """Send a message to the worker while code runs, and return the response. Threads of the code take turns."""
    with _asking:
        send(message)
        answer: dict[str, Any] = receive()
        return answer


def send(message: dict[str, Any]) -> None:
    """Write a message."""
    body = json.dumps(message).encode()
    left = memoryview(struct.pack(">I", len(body)) + body)
    while left:
        left = left[os.write(_worker, left[: 1 << 20]) :]


def receive() -> Any:
    """Return the next message of the worker."""
    return json.loads(_read(struct.unpack(">I", _read(4))[0]))


def _read(count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count:
        piece = os.read(_worker, min(count - len(pieces), 1 << 20))
        if not piece:
            os._exit(1)
        pieces += piece
    return bytes(pieces)


def _run(source: str, inputs: dict[str, Any]) -> dict[str, Any]:
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    # As in the reference, without an import.
    module.__dict__.update(json=json, b64decode=base64.b64decode)
    try:
        exec(compile(source, FILE, "exec", dont_inherit=True), module.__dict__)
        if "main" not in module.__dict__:
            return {"error": "NameError: The code has no function `main`.", "kind": "NameError"}
        # As JSON, which is how it is passed on.
        text = json.dumps(module.__dict__["main"](**inputs))
        if len(text) > LARGEST_RESULT:
            return {"error": f"The code returned more than {LARGEST_RESULT // 1024 // 1024} MB.", "kind": "ValueError"}
        return {"value": text}
    except MemoryError:
        return {"error": "The code went over the limit of memory.", "kind": "MemoryError"}
    except BaseException as error:
        # A broad `except`: the author's code may raise anything, SystemExit too, and its author must read it.
        return {"error": _message(error), "kind": type(error).__name__}


def _message(error: BaseException) -> str:
    """Return an error's kind, text and line in the author's code."""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILE:
            line = step.tb_lineno
        step = step.tb_next
    try:
        text = str(error)
    except Exception as problem:
        # A broad `except`: the author's own exceptions have methods of the author's.
        text = f"its text cannot be shown ({type(problem).__name__})"
    shown = f"{type(error).__name__}: {text}"[:LONGEST_MESSAGE]
    return f"{shown} (line {line})" if line else shown


def _forget_what_was_random() -> None:
    """Seed random numbers anew: all children are copies of one process. `random` itself does it at a fork."""
    random.seed()
    numbers = sys.modules.get("numpy.random")
    if numbers is not None:
        numbers.seed()

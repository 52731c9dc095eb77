"""The program of a sandbox process: read a request, run its code or template, write the result.

Three fences hold: the interpreters give the author no access to Python's or the system's functions; the process is
confined, without files, sockets and processes; and the parent kills a process that is late. Messages as in
`processes.py`.
"""

import resource
import struct
import sys
from typing import Any, BinaryIO

from app.providers.confinement import Confinement, confine

MEMORY = 768 * 1024 * 1024
SCRIPT_MEMORY = 128 * 1024 * 1024
SCRIPT_STACK = 512 * 1024
LONGEST_TEXT = 400_000


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    # All that is ever needed is loaded and tried once before the limits, which forbid opening files.
    import jinja2.debug
    import jinja2.sandbox
    import orjson
    import quickjs

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    environment = jinja2.sandbox.SandboxedEnvironment(autoescape=False)
    environment.from_string("{{ [1]|join(',') }}{% for a in [1] %}{{ loop.index }}{% endfor %}").render()
    quickjs.Context().eval("1")
    confine(Confinement(memory=MEMORY))
    while True:
        head = source.read(4)
        if len(head) < 4:
            return
        request = orjson.loads(source.read(struct.unpack(">I", head)[0]))
        _limit_time(request["seconds"])
        _answer(sink, orjson, _do(request, environment, quickjs))


def _limit_time(seconds: float) -> None:
    """End this process by the kernel if the request takes too much CPU time.

    The parent kills a late process earlier; this is for the case that the parent is gone.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 2, most))


def _do(request: dict[str, Any], environment: Any, quickjs: Any) -> dict[str, Any]:
    try:
        if request["kind"] == "template":
            return {"value": _render(environment, request["template"], request["values"])}
        return {"value": _javascript(quickjs, request["code"], request["inputs"])}
    except MemoryError:
        return {"error": "The code went over the limit of memory."}
    except RecursionError:
        return {"error": "The code is nested too deeply."}
    except Exception as error:
        # A broad `except`: the author's code may raise anything, and its author must read it.
        return {"error": f"{type(error).__name__}: {error}"[:2_000]}


def _render(environment: Any, template: str, values: dict[str, Any]) -> str:
    pieces, length = [], 0
    for piece in environment.from_string(template).generate(values):
        length += len(piece)
        if length > LONGEST_TEXT:
            raise ValueError(f"the text is longer than {LONGEST_TEXT} characters")
        pieces.append(piece)
    return "".join(pieces)


def _javascript(quickjs: Any, code: str, inputs: dict[str, Any]) -> Any:
    import json

    context = quickjs.Context()
    context.set_memory_limit(SCRIPT_MEMORY)
    context.set_max_stack_size(SCRIPT_STACK)
    context.eval("globalThis.console = {log() {}, error() {}, warn() {}, info() {}, debug() {}};")
    context.eval(code)
    context.set("frontdesk_inputs", json.dumps(inputs))
    text = context.eval("JSON.stringify(main(JSON.parse(frontdesk_inputs)))")
    if not isinstance(text, str):
        raise TypeError("main must return an object")
    return json.loads(text)


def _answer(sink: BinaryIO, orjson: Any, answer: dict[str, Any]) -> None:
    try:
        body = orjson.dumps(answer)
    except (TypeError, ValueError):
        body = orjson.dumps({"error": "The result cannot be passed on as JSON."})
    sink.write(struct.pack(">I", len(body)) + body)
    sink.flush()

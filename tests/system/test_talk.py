"""`flask chat` in a terminal, against the whole product."""

import os
import pty
import signal
import subprocess
import sys
import threading

from tests.support.paths import PROJECT
from tests.support.visitor import wait_until

PROMPT = "> "


class TerminalTalk:
    """A talk in a terminal of its own: `text` is what its window shows."""

    def __init__(self, stack, code: str) -> None:
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "chat", code, "--url", stack.base_url]
        environment = {**stack.env, "TERM": "dumb"}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=PROJECT, start_new_session=True
        )
        os.close(theirs)
        self.text = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                self.text += os.read(self._ours, 65_536).decode(errors="replace")
            except OSError:  # the other end is closed
                return

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, times: int = 1) -> None:
        wait_until(lambda: self.text.count(text) >= times or self.process.poll() is not None, 40, text)
        assert self.text.count(text) >= times, self.text


def test_ctrl_c_stops_the_answer_and_the_conversation_goes_on(stack, mark):
    talk = TerminalTalk(stack, "chat")
    talk.wait_for(PROMPT)
    talk.type("count [[chunks:2000]][[delay:25]]\n")
    talk.wait_for("tok5 ")
    talk.process.send_signal(signal.SIGINT)
    talk.wait_for(PROMPT, 2)
    assert "tok1999" not in talk.text
    talk.type(f"{mark} [[chunks:3]]\n")
    talk.wait_for("tok0 tok1 tok2")
    talk.wait_for(PROMPT, 3)
    talk.process.send_signal(signal.SIGINT)
    assert talk.process.wait(20) == 0
    (asked,) = [request["body"] for request in stack.model_requests() if mark in str(request["body"]["messages"][-1])]
    assert "tok5 " in str(asked["messages"]), "the second question is of the same conversation"

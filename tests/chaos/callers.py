"""Callers: each asks one question after the other, in all modes, and checks what it gets."""

import contextlib
import random
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from tests.chaos.apps import (
    AGENT,
    APPROVAL,
    CALL,
    CHAT,
    CHATFLOW,
    COMMENT,
    COMPLETION,
    MODES,
    WITH_HISTORY,
    WITH_RUN,
    WORKFLOW,
    expected_text,
    outputs_text,
)
from tests.chaos.client import PATIENCE_SECONDS, Client, GaveUp, Unanswered, frames_of, rest
from tests.chaos.ledger import LOST, REFUSED, STUCK, TWICE, Ledger, Question, difference
from tests.support.sse import Frame, answer_text

PATHS = {COMPLETION: "/completion-messages", WORKFLOW: "/workflows/run", APPROVAL: "/workflows/run"}
RUN_END = "workflow_finished"
ENDS = ("message_end", RUN_END, "error")
BLOCKING_SHARE = 0.25
STREAMING_ONLY = (AGENT, WORKFLOW, APPROVAL)
SHORTEST, LONGEST = 15, 70
DELAY_MS = 25
FILE_BYTES = 20_000


class Caller:
    """Asks until it is told to stop. `number` and the seed decide what it asks, and in which order."""

    def __init__(
        self, base_urls: Sequence[str], codes: Mapping[str, str], ledger: Ledger, seed: int, number: int
    ) -> None:
        """`codes`: of the apps, by mode. The web server that comes first is the caller's own choice."""
        first = number % len(base_urls)
        self._base_urls = [*base_urls[first:], *base_urls[:first]]
        self._codes, self._ledger, self._number = codes, ledger, number
        self._numbers = random.Random(seed * 1000 + number)
        self._clients: dict[str, Client] = {}
        self._last: dict[str, tuple[str, str]] = {}
        self._stopped = threading.Event()
        self._asked = 0
        self._came_back = False
        self._thread = threading.Thread(target=self._run, name=f"caller-{number}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask nothing more; what was asked is followed to its end."""
        self._stopped.set()

    def join(self) -> None:
        """Wait for the end of the last question."""
        self._thread.join(2 * PATIENCE_SECONDS)
        if not self._came_back:
            self._ledger.note(STUCK, f"caller {self._number} does not come back, or ended by an error of its own")

    def _run(self) -> None:
        modes = list(MODES)
        while not self._stopped.is_set():
            self._numbers.shuffle(modes)
            for mode in modes:
                if not self._stopped.is_set():
                    with contextlib.suppress(GaveUp):
                        self._one_question(mode)
                        self._one_file()
        self._came_back = True

    def _one_question(self, mode: str) -> None:
        self._asked += 1
        mark = f"q{self._number:02d}x{self._asked:04d}"
        words = self._numbers.randint(SHORTEST, LONGEST)
        said = " ".join([mark, *(f"w{number}" for number in range(words))])
        blocking = mode not in STREAMING_ONLY and self._numbers.random() < BLOCKING_SHARE
        question = Question(mark, mode, expected_text(mode, said), blocking)
        self._ledger.ask(question)
        Dialogue(self._client(mode), self._ledger, question, said, self._last).run()

    def _one_file(self) -> None:
        content = self._numbers.randbytes(FILE_BYTES)
        stored = self._client(CHAT).upload(content)
        if self._client(CHAT).download(stored["source_url"]) != content:
            self._ledger.note(LOST, f"caller {self._number}: file {stored['id']} has another content")
        self._ledger.count_file()

    def _client(self, mode: str) -> Client:
        if mode not in self._clients:
            self._clients[mode] = Client(self._base_urls, self._codes[mode], self._ledger)
        return self._clients[mode]


class Dialogue:
    """One question, from its first sending to its end, by whatever way."""

    def __init__(
        self, client: Client, ledger: Ledger, question: Question, said: str, last: dict[str, tuple[str, str]]
    ) -> None:
        self._client, self._ledger, self._question = client, ledger, question
        self._last = last
        self._query = f"{question.mark} {CALL if question.mode == AGENT else ''}[[say:{said}]][[delay:{DELAY_MS}]]"
        self._frames: list[Frame] = []
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    def run(self) -> None:
        """Raises GaveUp."""
        question = self._question
        body = self._body()
        path = PATHS.get(question.mode, "/chat-messages")
        while True:
            self._check_patience()
            question.sent += 1
            try:
                response = self._client.ask(path, body)
            except Unanswered:
                found = self._look_up()
                if found is None:
                    rest()
                    continue
                self._follow(found)
                break
            if question.blocking:
                self._check_body(response)
                return
            self._read(response)
            if self._identifier() is not None:
                self._follow(self._identifier())
                break
        self._check_stream()

    def _body(self) -> dict[str, Any]:
        mode = self._question.mode
        body: dict[str, Any] = {"response_mode": "blocking" if self._question.blocking else "streaming"}
        if mode in WITH_HISTORY:
            conversation, parent = self._last.get(mode, ("", ""))
            body |= {"query": self._query, "inputs": {}, "conversation_id": conversation}
            return body | ({"parent_message_id": parent} if parent else {})
        return body | {"inputs": {"text": self._query}}

    def _look_up(self) -> str | None:
        """Return the id of the question's message if the server has it, where end users can find it."""
        if self._question.mode not in WITH_HISTORY:
            return None
        for conversation in self._client.get("/conversations", limit=5)["data"]:
            for message in self._client.get("/messages", conversation_id=conversation["id"], limit=5)["data"]:
                if message["query"] == self._query and message["status"] == "normal":
                    return str(message["id"])
        return None

    def _identifier(self) -> str | None:
        """Return the id by which the stream can be gone on with."""
        return next((frame.data["task_id"] for frame in self._frames if "task_id" in frame.data), None)

    def _follow(self, identifier: str | None) -> None:
        """Read on, by as many streams as it takes, to the end."""
        assert identifier is not None
        while not self._ended():
            self._check_patience()
            self._submit_form()
            after = self._last_number()
            with_snapshot = after is None and self._question.mode in WITH_RUN
            self._ledger.returned("went on with a stream")
            self._read(self._client.resume(identifier, after, with_snapshot))
            if not self._ended():
                rest()

    def _read(self, response: requests.Response) -> None:
        for frame in frames_of(response):
            last = self._last_number()
            if frame.number is not None and last is not None and frame.number <= last:
                self._ledger.note(TWICE, f"{self._about}: event {frame.number} behind {last}")
            self._frames.append(frame)

    def _submit_form(self) -> None:
        asked = [frame for frame in self._frames if frame.event == "human_input_required"]
        if asked and not any(frame.event == "human_input_form_filled" for frame in self._frames):
            token = asked[-1].data["data"]["form_token"]
            self._client.submit(token, {"inputs": {"comment": COMMENT}, "action": "yes"})

    def _last_number(self) -> int | None:
        return next((frame.number for frame in reversed(self._frames) if frame.number is not None), None)

    def _ended(self) -> bool:
        if self._question.mode == CHATFLOW:
            return any(frame.event in (RUN_END, "error") for frame in self._frames)
        return any(frame.event in ENDS for frame in self._frames)

    @property
    def _about(self) -> str:
        return f"{self._question.mark} ({self._question.mode}{', blocking' if self._question.blocking else ''})"

    def _check_patience(self) -> None:
        if time.monotonic() > self._deadline:
            seen = ", ".join(f"{frame.number} {frame.event}" for frame in self._frames[-3:])
            self._ledger.note(STUCK, f"{self._about}: no end, last frames {seen or 'none'}")
            raise GaveUp

    def _check_stream(self) -> None:
        """Compare what the stream said with what the model said."""
        error = next((frame.data for frame in self._frames if frame.event == "error"), None)
        if error is not None:
            self._ledger.note(REFUSED, f"{self._about}: {error.get('code')} {error.get('message')}")
            raise GaveUp
        ends = sum(frame.event in ENDS for frame in self._frames if frame.event != "message_end")
        if ends > 1 or sum(frame.event == "message_end" for frame in self._frames) > 1:
            self._ledger.note(TWICE, f"{self._about}: it ended more than once")
        text = self._text()
        if text != self._question.expected:
            self._ledger.note(LOST, f"{self._about}: the stream had {difference(text, self._question.expected)}")
        self._question.answered = True
        self._check_history(next((frame for frame in self._frames if "message_id" in frame.data), None))

    def _text(self) -> str:
        """Return the answer as a client shows it; in mode workflow the outputs."""
        outputs = next((frame.data["data"]["outputs"] for frame in self._frames if frame.event == RUN_END), None)
        if self._question.mode in (WORKFLOW, APPROVAL):
            return outputs_text(outputs)
        if self._question.mode == CHATFLOW and len(self._frames) == 1 and outputs is not None:
            # Who comes back without an event, and behind the run's end, gets its end alone.
            return str(outputs["answer"])
        return answer_text(self._frames)

    def _check_body(self, response: requests.Response) -> None:
        body = response.json()
        if body["answer"] != self._question.expected:
            self._ledger.note(
                LOST, f"{self._about}: the body had {difference(body['answer'], self._question.expected)}"
            )
        self._question.answered = True
        self._check_history(Frame(None, body))

    def _check_history(self, frame: Frame | None) -> None:
        """Compare GET /messages with what the model said; the next question goes on in this conversation."""
        if self._question.mode not in WITH_HISTORY or frame is None:
            return
        conversation, message_id = frame.data["conversation_id"], frame.data["message_id"]
        listed = self._client.get("/messages", conversation_id=conversation, limit=20)["data"]
        found = [message for message in listed if message["id"] == message_id]
        if len(found) != 1:
            self._ledger.note(LOST, f"{self._about}: GET /messages has it {len(found)} times")
        elif found[0]["answer"] != self._question.expected:
            text = difference(found[0]["answer"], self._question.expected)
            self._ledger.note(LOST, f"{self._about}: GET /messages has {text}")
        # A long conversation makes long prompts: begin anew now and then.
        self._last[self._question.mode] = (conversation, message_id) if len(listed) < 4 else ("", "")

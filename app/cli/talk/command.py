"""`flask chat CODE`: talk to an app, as long as somebody types."""

import contextlib
import re
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import click
from flask import current_app

from app.cli.talk.answers import ShownAnswer
from app.cli.talk.questions import Questions
from app.cli.talk.terminal import EndOfInput, Screen, plain
from app.cli.talk.web_api import FollowedAnswer, TalkFailed, VisitorApi

CHAT = "chat-messages"
CHAT_HINT = "Ctrl-C stops an answer, and leaves when there is none; /new begins a new conversation."
RUN_HINT = "Ctrl-C stops a run, and leaves when there is none."
STOPS = {CHAT: CHAT, "completion-messages": "completion-messages", "workflows/run": "workflows/tasks"}
_PLACEHOLDER = re.compile(r"\{\{#\$output\.(\w+)#\}\}")


class Interruption:
    """Ctrl-C while an answer comes: the first one asks the server to stop it, the second one leaves."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._asked = False

    def __enter__(self) -> "Interruption":
        self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        # Beside the reading, which goes on to the end that the server sends.
        threading.Thread(target=self._stop, daemon=True).start()


class Talk:
    """A talk with one app on one screen. `failed`: whether an answer failed."""

    def __init__(self, api: VisitorApi, screen: Screen, given: dict[str, str], conversation_id: str) -> None:
        self._api, self._screen, self._given = api, screen, given
        self._path = api.path_of_mode()
        self._questions = Questions(api, screen)
        self._parameters = api.get("parameters")
        self._conversation_id = conversation_id
        self._inputs: dict[str, Any] | None = {} if conversation_id else None
        self.failed = False

    @property
    def interactive(self) -> bool:
        """Whether a person types."""
        return self._screen.interactive

    def run(self) -> None:
        """Talk until the input ends. Raises TalkFailed where nothing can be asked at all."""
        title = self._api.get("site")["site"]["title"]
        if self._screen.interactive:
            self._screen.note(f"{title}. {CHAT_HINT if self._path == CHAT else RUN_HINT}")
        with contextlib.suppress(EndOfInput):
            if self._path == CHAT:
                self._chat()
            while self._path != CHAT:
                self._answer({"inputs": self._questions.input_form(self._form, self._given)})
                if self._given and not self._screen.interactive:
                    return

    @property
    def _form(self) -> list[dict[str, Any]]:
        return list(self._parameters.get("user_input_form") or [])

    def _chat(self) -> None:
        if not self._conversation_id and self._screen.interactive:
            if opening := self._parameters.get("opening_statement"):
                self._screen.say_line(opening)
            for question in self._parameters.get("suggested_questions") or []:
                self._screen.note(f"  for example: {question}")
        while True:
            if self._inputs is None:
                self._inputs = self._questions.input_form(self._form, self._given)
            query = self._screen.ask("> ")
            if query == "/new":
                self._conversation_id, self._inputs = "", None
            elif query:
                self._answer({"inputs": self._inputs, "query": query, "conversation_id": self._conversation_id})

    def _answer(self, body: dict[str, Any]) -> None:
        shown = ShownAnswer(self._screen)
        try:
            answer = self._api.stream(self._path, {**body, "response_mode": "streaming"})
            self._show(answer, shown, answer.events())
            while shown.paused:
                self._answer_forms(shown)
                self._show(answer, shown, answer.go_on_after_pause())
        except TalkFailed as failed:
            shown.failure = str(failed)
        self._conversation_id = shown.conversation_id or self._conversation_id
        self._screen.end_line()
        if shown.failure:
            self.failed = True
            self._screen.note(f"Error: {shown.failure}")
        if self._screen.interactive:
            self._screen.note("")

    def _show(self, answer: FollowedAnswer, shown: ShownAnswer, events: Iterable[dict[str, Any]]) -> None:
        with Interruption(lambda: self._stop(answer)):
            for event in events:
                shown.show(event)

    def _stop(self, answer: FollowedAnswer) -> None:
        answer.begun.wait()
        with contextlib.suppress(TalkFailed):
            self._api.post(f"{STOPS[self._path]}/{answer.task_id}/stop", {})

    def _answer_forms(self, shown: ShownAnswer) -> None:
        """Let the person answer the forms of a pause, one after the other. Raises EndOfInput, TalkFailed."""
        forms, shown.forms = shown.forms, {}
        for form in forms.values():
            token = form.get("form_token")
            if not token:
                self._screen.note(f"  · waits for somebody to answer {form.get('node_title')} …")
                continue
            self._screen.note(f"  · {form.get('node_title')} waits for you:")
            self._screen.note(_PLACEHOLDER.sub(r"[\1]", str(form.get("form_content") or "")))
            try:
                answered = self._questions.form(form)
            except EndOfInput:
                self.failed = True
                self._screen.note("The run waits for this form to be answered.")
                raise
            try:
                self._api.post(f"form/human_input/{token}", answered)
            except TalkFailed as refused:
                # Somebody else was first, or it is too late: the run goes on by itself.
                if refused.status != 412:
                    raise
                self._screen.note(f"  · {refused}")


@click.command("chat")
@click.argument("code")
@click.option("--url", help="The server's address; without it the one that PUBLIC_URL names.")
@click.option("--input", "inputs", multiple=True, metavar="NAME=VALUE", help="A value of the app's input form.")
@click.option("--user", metavar="NAME", help="Whom the passport is for: the same name has the same conversations.")
@click.option("--conversation", metavar="ID", default="", help="Go on with this conversation of --user.")
def chat(code: str, url: str | None, inputs: tuple[str, ...], user: str | None, conversation: str) -> None:
    """Talk to an app, over the public Web API.

    Lines of a pipe are the messages of a chat, or the inputs of one run after the other; the exit code is 1 if an
    answer failed.
    """
    given = dict(_pair(text) for text in inputs)
    base_url = url or str(current_app.config["PUBLIC_URL"])
    if urlsplit(base_url).scheme not in ("http", "https"):
        raise click.BadParameter("the address begins with http:// or https://", param_hint="--url")
    with _plain_failures():
        talk = Talk(VisitorApi(base_url, code, user), Screen(), given, conversation)
        talk.run()
        if talk.failed and not talk.interactive:
            raise click.exceptions.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--input")
    return name, value


@contextlib.contextmanager
def _plain_failures() -> Iterator[None]:
    try:
        yield
    except TalkFailed as failed:
        raise click.ClickException(plain(failed)) from None
    except KeyboardInterrupt:
        # How a talk is left.
        click.echo()

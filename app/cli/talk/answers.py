"""Show the events of an answer as they come: words, steps, tools, sources, files, the outputs of a run."""

import json
from collections.abc import Mapping
from typing import Any

from app.cli.talk.terminal import Screen

QUIET_NODES = ("start", "end", "answer", "if-else", "human-input")
LONGEST_INPUT = 100


class ShownAnswer:
    """One answer on a screen. `failure`: why it failed, "" where it did not; `forms`: what waits for a person."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.failure = ""
        self.conversation_id = ""
        self.paused = False
        self.forms: dict[str, dict[str, Any]] = {}
        self._text = ""
        self._steps: set[str] = set()

    def show(self, event: Mapping[str, Any]) -> None:
        """Show an event; those that say nothing to people are skipped."""
        self.conversation_id = str(event.get("conversation_id") or self.conversation_id)
        data = event.get("data")
        match event.get("event"):
            case "message" | "agent_message":
                self._append(event.get("answer"))
            case "message_replace":
                self._replace(event.get("answer"))
            case "agent_thought":
                self._show_tool(event)
            case "message_file":
                self._screen.note(f"  file: {event.get('url')}")
            case "message_end":
                self._show_sources(event.get("metadata") or {})
            case "error":
                self.failure = str(event.get("message") or "The answer failed.")
            case _ if isinstance(data, dict):
                self._show_run(str(event.get("event")), data)

    def _show_run(self, name: str, data: Mapping[str, Any]) -> None:
        match name:
            case "workflow_started":
                self.paused = False
            case "text_chunk":
                self._append(data.get("text"))
            case "text_replace":
                self._replace(data.get("text"))
            case "node_started" if data.get("node_type") not in QUIET_NODES:
                self._step(f"started {data.get('id')}", f"  · {data.get('title')}")
            case "node_finished" if data.get("status") in ("failed", "exception"):
                self._step(f"failed {data.get('id')}", f"  · {data.get('title')} failed")
            case "node_retry":
                self._screen.note(f"  · {data.get('title')} is tried again")
            case "human_input_required":
                self.forms[str(data.get("form_id"))] = dict(data)
            case "human_input_form_timeout":
                self._screen.note(f"  · the time to answer {data.get('node_title')} is over")
            case "workflow_paused":
                self.paused = True
            case "workflow_finished":
                self._finish(data)

    def _append(self, text: Any) -> None:
        if isinstance(text, str):
            self._text += text
            self._screen.say(text)

    def _replace(self, text: Any) -> None:
        """A terminal cannot take words back: the new text follows, where it is another one."""
        text = text if isinstance(text, str) else ""
        if text == self._text:
            return
        if text.startswith(self._text):
            self._screen.say(text[len(self._text) :])
        else:
            self._screen.note("  · the answer above is replaced by this one:")
            self._screen.say(text)
        self._text = text

    def _show_tool(self, thought: Mapping[str, Any]) -> None:
        if tool := thought.get("tool"):
            given = str(thought.get("tool_input") or "")
            shortened = given if len(given) <= LONGEST_INPUT else given[:LONGEST_INPUT] + "…"
            self._step(f"tool {thought.get('id')} {tool}", f"  · uses {tool} {shortened}")

    def _step(self, key: str, text: str) -> None:
        # A stream that was opened again may tell of a step twice.
        if key not in self._steps:
            self._steps.add(key)
            self._screen.note(text)

    def _show_sources(self, metadata: Mapping[str, Any]) -> None:
        names = [str(source.get("document_name")) for source in metadata.get("retriever_resources") or []]
        if names:
            self._screen.note(f"  sources: {', '.join(dict.fromkeys(names))}")

    def _finish(self, data: Mapping[str, Any]) -> None:
        status, outputs = data.get("status"), data.get("outputs") or {}
        if status == "failed":
            self.failure = str(data.get("error") or "The run failed.")
        elif status == "stopped":
            self._screen.note("  · stopped")
        # A chatflow's answer was shown as it came; so was an output that is a text alone.
        elif self._text not in ("\n".join(map(_shown, outputs.values())), outputs.get("answer")) or not self._text:
            for name, value in outputs.items():
                self._screen.say_line(f"{name}: {_shown(value)}")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

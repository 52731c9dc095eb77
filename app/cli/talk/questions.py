"""Ask a person for the values of an app's input form and of a human-input form."""

import json
import mimetypes
import pathlib
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.talk.terminal import Screen, plain
from app.cli.talk.web_api import TalkFailed, VisitorApi


class Unusable(Exception):
    """A value cannot be used; the text says why."""


class Questions:
    """Asks for values on a screen; a value that cannot be used is asked for again, or ends a script."""

    def __init__(self, api: VisitorApi, screen: Screen) -> None:
        self._api, self._screen = api, screen

    def input_form(self, form: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Any]:
        """Return a value for each field of `user_input_form`. `given`: texts that need not be asked for.

        Raises EndOfInput, TalkFailed.
        """
        values: dict[str, Any] = {}
        for entry in form:
            kind, field = next(iter(entry.items()))
            name = str(field.get("variable") or "")
            if not name or field.get("hide"):
                continue
            if name in given:
                values[name] = self._read(kind, field, given[name], once=True)
            else:
                values[name] = self._read(kind, field, None)
        known = {str(next(iter(entry.values())).get("variable")) for entry in form}
        if unknown := sorted(set(given) - known):
            raise TalkFailed(f"The app has no input {unknown[0]!r}; it has: {', '.join(sorted(known)) or 'none'}.")
        return {name: value for name, value in values.items() if value is not None}

    def form(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that answers a human-input form. Raises EndOfInput, TalkFailed."""
        defaults = form.get("resolved_default_values") or {}
        values: dict[str, Any] = {}
        for field in form.get("inputs") or []:
            name = str(field.get("output_variable_name"))
            default = defaults.get(name, (field.get("default") or {}).get("value"))
            options = (field.get("option_source") or {}).get("value")
            shown = {**field, "label": name, "default": default, "options": options}
            value = self._read(str(field.get("type")), shown, None)
            values[name] = "" if value is None else value
        return {"inputs": values, "action": self._action(form.get("actions") or [])}

    def _action(self, actions: Sequence[Mapping[str, Any]]) -> str:
        ids = [str(action.get("id")) for action in actions]
        if len(ids) == 1:
            return ids[0]
        titles = [str(action.get("title") or action.get("id")) for action in actions]
        chosen = self._read("select", {"label": "Your decision", "options": titles, "required": True}, None, ids)
        return ids[titles.index(chosen)] if chosen in titles else str(chosen)

    def _read(
        self, kind: str, field: Mapping[str, Any], given: str | None, others: Sequence[str] = (), once: bool = False
    ) -> Any:
        """Return the value of a field, None where it is left out."""
        while True:
            text = self._screen.ask(_question(kind, field)) if given is None else given
            try:
                return self._value(kind, field, text, others)
            except Unusable as problem:
                if once or not self._screen.interactive:
                    name = field.get("label") or field.get("variable")
                    raise TalkFailed(f"{plain(name)}: {problem}") from None
                self._screen.note(problem)

    def _value(self, kind: str, field: Mapping[str, Any], text: str, others: Sequence[str]) -> Any:
        """Raises Unusable."""
        if not text:
            default = field.get("default")
            if default not in (None, ""):
                return default
            if field.get("required"):
                raise Unusable("A value is needed.")
            return None
        if kind == "number":
            return _number(text)
        if kind == "checkbox":
            return _truth(text)
        if kind == "select":
            return _choice([str(option) for option in field.get("options") or []], text, others)
        if kind in ("json", "json_object"):
            return _json(text)
        if kind in ("file", "file-list"):
            files = [self._file(word, field) for word in shlex.split(text)]
            return files[0] if kind == "file" else files
        longest = field.get("max_length")
        if isinstance(longest, int) and 0 < longest < len(text):
            raise Unusable(f"At most {longest} characters are taken; these are {len(text)}.")
        return text

    def _file(self, word: str, field: Mapping[str, Any]) -> dict[str, Any]:
        """Return the mapping of a URL, or of a file of this machine that is uploaded. Raises Unusable."""
        kinds = [str(kind) for kind in field.get("allowed_file_types") or ()]
        kind = _file_kind(word, kinds)
        if word.startswith(("http://", "https://")):
            return {"type": kind, "transfer_method": "remote_url", "url": word}
        try:
            uploaded = self._api.upload(pathlib.Path(word).expanduser())
        except TalkFailed as failed:
            raise Unusable(str(failed)) from None
        return {"type": kind, "transfer_method": "local_file", "upload_file_id": uploaded["id"]}


def _question(kind: str, field: Mapping[str, Any]) -> str:
    label = str(field.get("label") or field.get("variable"))
    options = field.get("options") or []
    hints = {"checkbox": "y or n", "file": "path or URL", "file-list": "paths or URLs", "json_object": "JSON"}
    hint = " ".join(f"{number}: {option}" for number, option in enumerate(options, 1)) or hints.get(kind, "")
    default = field.get("default")
    parts = [label, f"({hint})" if hint else "", f"[{default}]" if default not in (None, "") else ""]
    return " ".join(part for part in parts if part) + ": "


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise Unusable(f"{text!r} is no number.") from None


def _truth(text: str) -> bool:
    if text.lower() in ("y", "yes", "true", "1", "on"):
        return True
    if text.lower() in ("n", "no", "false", "0", "off"):
        return False
    raise Unusable("Say y or n.")


def _choice(options: Sequence[str], text: str, others: Sequence[str]) -> str:
    if text in options or text in others:
        return text
    if text.isdecimal() and 1 <= int(text) <= len(options):
        return options[int(text) - 1]
    same = [option for option in options if option.lower() == text.lower()]
    if same:
        return same[0]
    raise Unusable(f"Choose one of: {', '.join(map(plain, options))}.")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Unusable(f"This is no JSON: {problem}.") from None


def _file_kind(name: str, allowed: Sequence[str]) -> str:
    guessed = (mimetypes.guess_type(name)[0] or "").partition("/")[0]
    kind = guessed if guessed in ("image", "audio", "video") else "document"
    return kind if kind in allowed or not allowed else allowed[0]

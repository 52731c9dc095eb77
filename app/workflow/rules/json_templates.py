"""Fills JSON templates: values are put into the structure of the template, never into its text (contract dsl.md §3.7).

A template is JSON with references, in quotes (`{"a": "{{#n.x#}}"}`) and bare (`{"a": {{#n.x#}}}`). It is parsed once,
with a token in the place of each reference. In quotes a value is a text, escaped; bare it is a JSON value of its own
type. So no value can add members, lose a character or change its type.
What the author's own code or template made is put in as it is, as long as it stays inside its quotes or is one value.
"""

import functools
import itertools
import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import json_repair

from app.providers.models.json_answers import LONGEST_REPAIRED, find_lists, find_object
from app.workflow.failures import NodeFailed
from app.workflow.values.templates import Template, bare, parse
from app.workflow.values.values import plain, text_of
from app.workflow.values.variables import MISSING, Selector, Variables

CACHED_TEMPLATES = 1_024
SHOWN_TEXT = 500
# What ends a bare word. A quotation mark too, which begins a string.
_DELIMITERS = frozenset(' \t\r\n,:[]{}"')
# Nobody who fills in values can know it, and no repair changes it.
_NONCE = secrets.token_hex(8)
_TOKEN = re.compile(rf"frontdesk{_NONCE}x([0-9]+)x")


@dataclass(frozen=True)
class _Place:
    """Where values go. In quotes it is one selector; bare it may have literal text around, as in `-{{#n.x#}}`."""

    parts: tuple[str | Selector, ...]
    quoted: bool


@dataclass(frozen=True)
class _JsonTemplate:
    """A parsed template. `pieces`: its text and its places, in order.

    `structure`: the JSON value with a token for each place; MISSING where the text is no JSON around its places.
    `exact`: the text is JSON as it stands, so that it can be kept.
    """

    pieces: tuple[str | _Place, ...]
    structure: Any
    exact: bool

    @property
    def places(self) -> list[_Place]:
        """The places, by the numbers of their tokens."""
        return [piece for piece in self.pieces if isinstance(piece, _Place)]

    @property
    def only_place(self) -> _Place | None:
        """The bare place that is all of the template; None where there is more."""
        filled = [piece for piece in self.pieces if isinstance(piece, _Place) or piece.strip()]
        return filled[0] if len(filled) == 1 and isinstance(filled[0], _Place) else None


def fill_json(text: str, variables: Variables, authored: Collection[str]) -> str:
    """Return the JSON text of a template with its values; an empty text for an empty one.

    `authored`: ids of the nodes whose outputs the author's own code or template makes. Raises NodeFailed where the
    result is no JSON.
    """
    template, values = _parsed(text), _Values(variables, authored)
    if not text.strip():
        return ""
    if template.only_place is not None:
        return values.document(template.only_place)
    if template.structure is MISSING:
        # Code may have made pieces of JSON, such as some members: then they belong to the template.
        template = _read(values.with_authored_texts(template.pieces))
    if template.structure is MISSING:
        template = _parsed_repaired(text)
    if template.structure is MISSING:
        raise _no_json(parse(text).render(variables, missing=bare))
    if template.exact:
        return "".join(piece if isinstance(piece, str) else values.json_of(piece) for piece in template.pieces)
    return _dump(_filled(template.structure, template.places, values))


# Cached: nodes of a graph keep their templates, and loops fill the same ones again and again.
@functools.lru_cache(maxsize=CACHED_TEMPLATES)
def _parsed(text: str) -> _JsonTemplate:
    return _read(_scan(parse(text)))


@functools.lru_cache(maxsize=CACHED_TEMPLATES)
def _parsed_repaired(text: str) -> _JsonTemplate:
    return _read_repaired(_scan(parse(text)))


def _scan(template: Template) -> tuple[str | _Place, ...]:
    """Split a template into its text and its places, by whether a reference stands in quotes."""
    literal = "".join(part for part in template.parts if isinstance(part, str))
    quote = "'" if '"' not in literal else '"'
    pieces: list[str | _Place] = []
    word: list[str | Selector] = []
    quoted = escaped = False
    for part in template.parts:
        if not isinstance(part, str):
            if quoted:
                pieces.append(_Place((part,), True))
            else:
                word.append(part)
            continue
        for sign in part:
            if not quoted and sign not in _DELIMITERS and sign != quote:
                word.append(sign)
                continue
            pieces += _word(word)
            word = []
            pieces.append(sign)
            quoted = quoted != (sign == quote and not escaped)
            escaped = quoted and sign == "\\" and not escaped
    return _joined([*pieces, *_word(word)])


def _word(signs: list[str | Selector]) -> Iterator[str | _Place]:
    """Yield a bare word as a place, or as its letters where it has no reference."""
    if all(isinstance(sign, str) for sign in signs):
        yield from (sign for sign in signs if isinstance(sign, str))
    else:
        yield _Place(_joined(signs), False)


def _joined(pieces: Iterable[Any]) -> tuple[Any, ...]:
    """Return the pieces with texts that follow each other as one."""
    joined: list[Any] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], list):
            joined[-1].append(piece)
        else:
            joined.append([piece] if isinstance(piece, str) else piece)
    return tuple("".join(piece) if isinstance(piece, list) else piece for piece in joined)


def _read(pieces: tuple[str | _Place, ...]) -> _JsonTemplate:
    """Parse the text around the places, as JSON in which line breaks may stand in strings."""
    text = _with_tokens(pieces, '"')
    structure = _load(text)
    if structure is not MISSING:
        return _JsonTemplate(pieces, structure, exact=not any(_TOKEN.search(key) for key in _keys(structure)))
    return _JsonTemplate(pieces, _load(text, strict=False), exact=False)


def _read_repaired(pieces: tuple[str | _Place, ...]) -> _JsonTemplate:
    """Parse the text around the places where it is nearly JSON, such as with a comma too many."""
    places = [piece for piece in pieces if isinstance(piece, _Place)]
    # A bare place as a string, or as a part of a text whose quotation marks the author forgot to escape.
    for quote in ('"', ""):
        structure = _repaired(_with_tokens(pieces, quote))
        found = sorted(int(number) for number in _TOKEN.findall(_dump(structure))) if structure is not MISSING else []
        keys = [int(number) for key in _keys(structure) for number in _TOKEN.findall(key)]
        if found == list(range(len(places))) and all(places[number].quoted for number in keys):
            return _JsonTemplate(pieces, structure, exact=False)
    return _JsonTemplate(pieces, MISSING, exact=False)


def _with_tokens(pieces: tuple[str | _Place, ...], quote: str) -> str:
    """Return the text of a template with a token for each place, bare ones in these quotation marks."""
    numbers = itertools.count()
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
        else:
            mark = "" if piece.quoted else quote
            texts.append(f"{mark}{_token(next(numbers))}{mark}")
    return "".join(texts)


def _load(text: str, strict: bool = True) -> Any:
    """Return the value of a JSON text; MISSING where it is none. Not strict: line breaks may stand in strings."""
    try:
        return json.loads(text, strict=strict, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return MISSING


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _repaired(text: str) -> Any:
    # Its author's text, but also a model's or a visitor's where the body is nothing but one reference.
    if len(text) > LONGEST_REPAIRED:
        return MISSING
    try:
        repaired = json_repair.loads(text)
    except (ValueError, RecursionError):
        return MISSING
    # Of a text that is no JSON at all, an empty one is left.
    return repaired if isinstance(repaired, dict | list) else MISSING


def _dump(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        # Infinity and NaN are Python's alone.
        return json.dumps(text_of(value), ensure_ascii=False)


def _token(number: int) -> str:
    return f"frontdesk{_NONCE}x{number}x"


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(member)


def _filled(structure: Any, places: list[_Place], values: "_Values") -> Any:
    """Return the structure with values in the place of tokens. Raises NodeFailed where two keys become the same."""
    if isinstance(structure, list):
        return [_filled(member, places, values) for member in structure]
    if isinstance(structure, dict):
        filled: dict[str, Any] = {}
        for key, member in structure.items():
            name = _text(key, places, values)
            if name in filled:
                raise NodeFailed(f"Failed to parse JSON: the key {name[:SHOWN_TEXT]!r} stands twice.", "JSONParseError")
            filled[name] = _filled(member, places, values)
        return filled
    if not isinstance(structure, str):
        return structure
    whole = _TOKEN.fullmatch(structure)
    if whole is not None and not places[int(whole[1])].quoted:
        return values.value(places[int(whole[1])])
    return _text(structure, places, values)


def _text(text: str, places: list[_Place], values: "_Values") -> str:
    return _TOKEN.sub(lambda token: values.text(places[int(token[1])]), text)


class _Values:
    """The values of places, as one filling sees them."""

    def __init__(self, variables: Variables, authored: Collection[str]) -> None:
        self._variables, self._authored = variables, authored

    def with_authored_texts(self, pieces: tuple[str | _Place, ...]) -> tuple[str | _Place, ...]:
        """Return the pieces of a template with the bare texts in it that the author's code made."""
        return _joined(self._authored_piece(piece) for piece in pieces)

    def _authored_piece(self, piece: str | _Place) -> str | _Place:
        text = None if isinstance(piece, str) or piece.quoted else self._authored_text(piece.parts)
        return piece if text is None else text

    def document(self, place: _Place) -> str:
        """Return the JSON text of a template that is nothing but a place: its text is all of the JSON."""
        value = self._single(place)
        if value is not MISSING and not isinstance(value, str):
            return _dump(plain(value))
        text = self.text(place)
        if _load(text) is not MISSING:
            return text
        found = find_object(text, repair=True) or next(find_lists(text), None)
        if found is None:
            raise _no_json(text)
        return _dump(found)

    def json_of(self, place: _Place) -> str:
        """Return what stands for a place in JSON text: a value, or in quotes the inside of a string."""
        if place.quoted:
            return _dump(self.text(place))[1:-1]
        text = self._authored_text(place.parts)
        return text if text is not None and _load(text) is not MISSING else _dump(self.value(place))

    def value(self, place: _Place) -> Any:
        """Return the value of a bare place; a text is a string, unless the author's code made it and it is JSON."""
        value = self._single(place)
        if value is not MISSING and not isinstance(value, str):
            return plain(value)
        text = self.text(place)
        read = _load(text)
        if self._authored_text(place.parts) is not None:
            return text if read is MISSING else read
        # With text around it, such as `-{{#n.x#}}`, it was meant as a number.
        return read if value is MISSING and isinstance(read, int | float) else text

    def text(self, place: _Place) -> str:
        """Return the text of a place, unescaped."""
        text = Template(place.parts).render(self._variables, missing=bare)
        if not place.quoted or self._authored_text(place.parts) is None:
            return text
        # The author's code may have escaped it already.
        inside = _load(f'"{text}"')
        return inside if isinstance(inside, str) else text

    def _single(self, place: _Place) -> Any:
        """Return the value of a place without text around it; MISSING for others, and where there is none."""
        (part, *more) = place.parts
        return MISSING if more or isinstance(part, str) else self._variables.get(part)

    def _authored_text(self, parts: tuple[str | Selector, ...]) -> str | None:
        """Return the text of parts if all that is filled in are texts that the author's code or template made."""
        texts = []
        for part in parts:
            value = part if isinstance(part, str) else self._variables.get(part) if part[0] in self._authored else None
            if not isinstance(value, str):
                return None
            texts.append(value)
        return "".join(texts)


def _no_json(text: str) -> NodeFailed:
    return NodeFailed(f"Failed to parse JSON: {text[:SHOWN_TEXT]}", "JSONParseError")

"""Join the pieces of tool calls, and tell apart the calls of one answer.

By OpenAI's protocol a call's first piece has its id and name, and all its pieces its index. Servers leave out each of
the three, repeat it on every piece, or give all calls the same one. So a piece belongs to the latest call of its id,
else of its index, else to the latest of all, unless it begins a call of its own, which needs a name.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from app.providers.models.chat_types import ModelToolCall
from app.providers.models.text_pieces import whole_text
from app.providers.models.wire_values import json_text, scalar_text, whole_number

NO_ARGUMENTS = ("{}", "null")


@dataclass(slots=True)
class _Piece:
    """A piece as it came, and then the call that is built from it."""

    index: int | None
    id: str
    name: str
    arguments: str

    @property
    def begins_object(self) -> bool:
        return self.arguments.lstrip().startswith("{")

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are a whole JSON object."""
        try:
            return isinstance(orjson.loads(self.arguments), dict)
        except orjson.JSONDecodeError:
            return False


class ToolCallPieces:
    """Collects the tool calls of one answer. `offered`: the names of the tools that the model may call."""

    def __init__(self, offered: Collection[str] = ()) -> None:
        self._offered = offered
        self._calls: list[_Piece] = []
        # The calls of the last delta that held any, in its order.
        self._row: list[_Piece] = []

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, tool_calls: Any) -> bool:
        """Add what a delta holds as `tool_calls`, or as `function_call` in the older protocol; whether it is any."""
        entries = tool_calls if isinstance(tool_calls, list) else [tool_calls]
        pieces = [piece for piece in map(_read, entries) if piece is not None]
        row: list[_Piece] = []
        for position, piece in enumerate(pieces):
            row.append(self._place(piece, row, position, len(pieces)))
        self._row = row or self._row
        return bool(row)

    def finish(self) -> tuple[ModelToolCall, ...]:
        """Return each call once and whole, in the order in which they began."""
        return tuple(
            ModelToolCall(whole_text(call.id), whole_text(call.name), whole_text(call.arguments))
            for call in self._calls
        )

    def _place(self, piece: _Piece, row: list[_Piece], position: int, count: int) -> _Piece:
        """Add a piece to the call that it belongs to; return that call."""
        call = self._call_of(piece, position, count)
        if call is None or self._begins_call(call, piece, any(placed is call for placed in row)):
            self._calls.append(piece)
            return piece
        # Some servers repeat the whole call at the end.
        if piece.id == call.id and piece.arguments == call.arguments and piece.id and call.is_whole:
            return call
        call.id = call.id or piece.id
        call.name = self._joined_name(call, piece)
        placeholder = call.arguments in NO_ARGUMENTS and piece.begins_object
        call.arguments = piece.arguments if placeholder else call.arguments + piece.arguments
        return call

    def _call_of(self, piece: _Piece, position: int, count: int) -> _Piece | None:
        """Return the call to which a piece belongs unless it begins one; None where it must begin one."""
        same_id = [call for call in self._calls if piece.id and call.id == piece.id]
        if piece.index is not None:
            same_index = [call for call in self._calls if call.index == piece.index]
            if same_index:
                return next((call for call in reversed(same_id) if call.index == piece.index), same_index[-1])
            if piece.name:
                return None
        if same_id:
            return same_id[-1]
        if piece.index is None and not piece.name and count > 1 and count == len(self._row):
            return self._row[position]
        return self._calls[-1] if self._calls else None

    def _begins_call(self, call: _Piece, piece: _Piece, in_row: bool) -> bool:
        """Return whether a piece begins another call. `in_row`: the call has a piece in the same delta."""
        if not piece.name or not call.name:
            return False
        if piece.id and call.id:
            # An id that is repeated stands for one call until its arguments are whole.
            return piece.id != call.id or (call.is_whole and piece.begins_object and piece.arguments != call.arguments)
        if not call.arguments or in_row:
            return not self._continues_name(call.name, piece.name, in_row)
        return piece.name != call.name or (call.is_whole and piece.begins_object)

    def _continues_name(self, known: str, more: str, in_row: bool) -> bool:
        """Return whether a name is the next piece of a call's name, or that name again, and not another tool's."""
        joined = known + more
        if joined in self._offered:
            return True
        if in_row:
            return False
        if more == known:
            return True
        return more not in self._offered and any(name.startswith((joined, more)) for name in self._offered)

    def _joined_name(self, call: _Piece, piece: _Piece) -> str:
        joined = call.name + piece.name
        # Repeated on each piece, or as far as it is known by then.
        if not call.name or (piece.name.startswith(call.name) and joined not in self._offered):
            return piece.name
        return call.name if call.arguments else joined


def _read(entry: Any) -> _Piece | None:
    if not isinstance(entry, dict):
        return None
    function = entry.get("function")
    if isinstance(function, str):
        function = entry | {"name": function}
    if not isinstance(function, dict):
        function = entry
    piece = _Piece(
        whole_number(entry.get("index")),
        scalar_text(entry.get("id")),
        scalar_text(function.get("name")),
        json_text(function.get("arguments")),
    )
    return piece if piece.id or piece.name or piece.arguments else None

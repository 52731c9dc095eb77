"""How many calls the pieces of servers' streams are, and what is in each."""

from typing import Any

import pytest

from app.providers.models.tool_call_pieces import ToolCallPieces

OFFERED = ("calculator", "current_time", "get", "get_weather")


def piece(index: Any = None, id: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    function = {member: value for member, value in (("name", name), ("arguments", arguments)) if value is not None}
    members = (("index", index), ("id", id), ("function", function))
    return {member: value for member, value in members if value is not None}


def calls(*deltas: Any) -> list[tuple[str, str]]:
    pieces = ToolCallPieces(OFFERED)
    for delta in deltas:
        pieces.add(delta)
    return [(call.name, call.arguments) for call in pieces.finish()]


A, B = '{"expression": "1+1"}', '{"expression": "2+2"}'
TWO = [("calculator", A), ("calculator", B)]


@pytest.mark.parametrize(
    "deltas",
    [
        # Whole calls, apart and together.
        [[piece(0, "", "calculator", A)], [piece(0, "", "calculator", B)]],
        [[piece(0, "a", "calculator", A)], [piece(0, "b", "calculator", B)]],
        [[piece(0, "a", "calculator", A)], [piece(0, "a", "calculator", B)]],
        [[piece(None, None, "calculator", A)], [piece(None, None, "calculator", B)]],
        [[piece(None, None, "calculator", A), piece(None, None, "calculator", B)]],
        [[piece(0, "", "calculator", A), piece(0, "", "calculator", B)]],
        [[piece(0, "x", "calculator", A), piece(1, "x", "calculator", B)]],
        [[piece(1, "a", "calculator", A)], [piece(2, "b", "calculator", B)]],
        [[piece("0", "a", "calculator", A)], [piece("1", "b", "calculator", B)]],
        [[piece(0.0, 7, "calculator", A)], [piece(1.0, 8, "calculator", B)]],
        [{"index": 0, **piece(None, "a", "calculator", A)}, {"name": "calculator", "arguments": B}],
        [[piece(0, "a", "calculator", A)], [piece(0, "a", "calculator", A)], [piece(0, "b", "calculator", B)]],
        # Pieces: of the arguments, of the name, of one call between those of the other.
        [
            [piece(0, "a", "calculator", "")],
            [piece(0, None, None, A[:5])],
            [piece(1, "b", "calculator", "")],
            [piece(0, None, None, A[5:])],
            [piece(1, None, None, B)],
        ],
        [
            [piece(0, "a", "calculator", A[:9])],
            [piece(0, "b", "calculator", B[:9])],
            [piece(0, "a", None, A[9:])],
            [piece(0, "b", None, B[9:])],
        ],
        [
            [piece(None, "a", "calculator", A[:9]), piece(None, "b", "calculator", B[:9])],
            [piece(None, "b", None, B[9:])],
            [piece(None, "a", None, A[9:])],
        ],
        [
            [piece(None, None, "calculator", A[:9]), piece(None, None, "calculator", B[:9])],
            [piece(None, None, None, A[9:]), piece(None, None, None, B[9:])],
        ],
        [
            [piece(0, "a", "calc")],
            [piece(0, "a", "ula")],
            [piece(0, "a", "tor", "")],
            [piece(0, "a", None, A)],
            [piece(1, None, "calc"), piece(1, None, "ulator")],
            [piece(1, None, None, B)],
        ],
        [
            [piece(0, None, "calculator", A[:9])],
            [piece(0, None, "calculator", A[9:])],
            [piece(0, None, "calculator", "")],
            [piece(1, None, "calculator", B[:9])],
            [piece(1, None, "calculator", B[9:])],
        ],
        [[piece(0, None, "calculator", A)], [piece(0, "a")], [piece(1, None, "calculator", B)], [piece(1, "b")]],
        [[piece(0, "a")], [piece(0, None, "calculator")], [piece(0, None, None, A)], [piece(0, "b", "calculator", B)]],
        [[piece(0, "a", "calculator", "{}")], [piece(0, None, None, A)], [piece(1, "b", "calculator", B)]],
    ],
)
def test_two_calls_are_two(deltas: list[Any]) -> None:
    assert calls(*deltas) == TWO


@pytest.mark.parametrize(
    "deltas",
    [
        [[piece(0, "a", "calculator", A)]],
        [piece(None, None, "calculator", A)],
        [{"name": "calculator"}, {"arguments": A[:3]}, {"arguments": A[3:]}],
        [[piece(None, "a", "calculator", "")], *([piece(None, "a", None, character)] for character in A)],
        [
            [piece(0, "a", "calculator", "")],
            *([piece(0, f"r{n}", None, text)] for n, text in enumerate((A[:4], A[4:]))),
        ],
        [[piece(0, "a", "calculator", A[:4])], [piece(1, None, None, A[4:])]],
        [[piece(0, "a", "calculator", A)], [piece(0, "a", "calculator", "")]],
        [[piece(0, "a", "calculator", A)], [piece(0, "a", "calculator", A)]],
        [[piece(0, "a", "calc")], [piece(0, "a", "calculator")], [piece(0, "a", None, A)]],
        [[piece(0, "a", "calculator", None), 5, None, {}], [piece(0, None, None, A)]],
    ],
)
def test_one_call_is_one(deltas: list[Any]) -> None:
    assert calls(*deltas) == [("calculator", A)]


def test_arguments_as_an_object_are_passed_on_as_json() -> None:
    assert calls([piece(0, "a", "calculator", {"expression": "größe", "exact": True, "n": None})]) == [
        ("calculator", '{"expression": "größe", "exact": true, "n": null}')
    ]
    assert calls([piece(0, "a", "current_time", [])], [piece(1, "b", "current_time", 5)]) == [
        ("current_time", "[]"),
        ("current_time", "5"),
    ]


def test_a_name_that_begins_like_another_is_a_call_of_its_own() -> None:
    assert calls([piece(0, None, "get", "")], [piece(0, None, "get_weather", "{}")]) == [
        ("get", ""),
        ("get_weather", "{}"),
    ]
    assert calls([piece(0, None, "get", "")], [piece(0, None, "_weather", "{}")]) == [("get_weather", "{}")]


def test_calls_without_arguments_stay_apart() -> None:
    assert calls([piece(0, "a", "current_time", "")], [piece(0, "b", "current_time", "")]) == [
        ("current_time", ""),
        ("current_time", ""),
    ]
    assert calls([piece(0, "", "current_time", "{}")], [piece(0, "", "current_time", "{}")]) == [
        ("current_time", "{}"),
        ("current_time", "{}"),
    ]


def test_halves_of_characters_are_joined() -> None:
    assert calls([piece(0, "a", "calculator", '{"x": "\ud83d')], [piece(0, None, None, '\ude00\ud83d"}')]) == [
        ("calculator", '{"x": "😀�"}')
    ]

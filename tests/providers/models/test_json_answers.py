"""JSON in what models write."""

import json
from typing import Any

import orjson
import pytest

from app.providers.models import json_answers
from app.providers.models.json_answers import MOST_READS, find_lists, find_object, found_values, read_json
from app.providers.models.lenient_json import CutJson, finite_number


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": 1}\n```', {"a": 1}),
        ('Sure, here it is:\n```JSON\n{"a": "b"}```\nAnything else?', {"a": "b"}),
        ('It is {"a": {"b": []}} [1].', {"a": {"b": []}}),
        ('As in [1]: {"a": 1}', {"a": 1}),
        ('[{"a": 1}]', {"a": 1}),
        ('[{"a": 1}, {"a": 2}]', None),
        ('{"code": "```x```"}', {"code": "```x```"}),
        ('<think>{"a": 0}</think>{"a": 1}', {"a": 1}),
        ('I think {"a": 0}</THINK>\n{"a": 1}', {"a": 1}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('{oops} {"a": 1}', {"a": 1}),
        ("{}", {}),
        ("no JSON at all", None),
        ("{'a': 1,}", {"a": 1}),
        ("{'a': 1", None),
        ('Like {"b": [1, 2]}, so {"a": [1, 2, 3], "b": 1}.', {"a": [1, 2, 3], "b": 1}),
        ('{"big": "much larger than the other"}\n```json\n{"a": 1}\n```', {"a": 1}),
        ('{"a": "Use ```json\\n{}\\n``` here", "n": 5}', {"a": "Use ```json\n{}\n``` here", "n": 5}),
        ('Here: {"a": "Use ```json\n{}\n``` here", "n": 5}', {"a": "Use ```json\n{}\n``` here", "n": 5}),
        ('```json\n{"a": "```json\\n{}\\n```"}\n```', {"a": "```json\n{}\n```"}),
        ('{"a": "<think>x</think>y"}', {"a": "<think>x</think>y"}),
        ('Note [\'tis {"a": 1}', {"a": 1}),
        ('{"n": 123456789012345678901234567890}', {"n": 1.2345678901234568e29}),
        ('{"a":' * 100 + "1" + "}" * 100, None),
        ('{"a": NaN}', None),
        ('{"a": 1e999}', None),
        ("", None),
        ('{"a": "x\\u0000y\\ud800"}', {"a": "xy?"}),
        ("[" * 100_000, None),
        ('{"a":' * 50_000, None),
    ],
)
def test_the_likeliest_object_is_found(text, found):
    assert find_object(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{'a': 1}", {"a": 1}),
        ('{a: 1, "b": 2', {"a": 1, "b": 2}),
        ('{"a": [1, 2', {"a": [1, 2]}),
        ('Here: ```json\n{"a": True,}\n```', {"a": True}),
        ('{"a": 1}', {"a": 1}),
        ("no JSON at all", None),
        ("{" + "x" * 300_000, None),
        ("{" * 2_000, None),
        # The repairing library would be busy for minutes.
        ("{'" * 20_000, None),
        ("[[{" * 20_000, None),
        ('{"list": [' + '"x", ' * 20_000 + '"y', {"list": ["x"] * 20_000 + ["y"]}),
    ],
)
def test_what_is_nearly_json_can_be_repaired(text, found):
    assert find_object(text, repair=True) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"a": 1}', {"a": 1}), (" [1] ", [1]), ('"</think>"', "</think>"), ('{"a": "```x```"}', {"a": "```x```"})],
)
def test_a_text_that_is_json_is_read_as_a_whole(text, value):
    assert read_json(text) == read_json(text, repair=True) == value


@pytest.mark.parametrize("text", ["", "{'a': 1}", '{"a": 1', 'It is {"a": 1}', '{"a": NaN}', '"\ud800"'])
def test_a_text_that_is_not_json_is_refused(text):
    with pytest.raises(ValueError):
        read_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 1,}", {"a": 1}),
        ("{a: True, b: None}", {"a": True, "b": None}),
        ('{"a": "x\ny"}', {"a": "x\ny"}),
        ('{"a": "\\d+\\u00e9"}', {"a": "\\d+é"}),
        ("{'a': 'it\\'s', 'b': \"a 'b'\"}", {"a": "it's", "b": "a 'b'"}),
        ('{"a": 1 /* one */, // two\n "b": [1, 2,]}', {"a": 1, "b": [1, 2]}),
        ('{"a": 1}}', {"a": 1}),
        ('{"a": "\\ud83d\\ude00 \\ud83d", }', {"a": "😀 ?"}),
        ('{"a": 1}</tool_call>', {"a": 1}),
    ],
)
def test_a_whole_text_is_repaired_where_it_has_one_meaning(text, value):
    assert read_json(text, repair=True) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}{"a": 2}',
        '{"a": "say "hi" now"}',
        "{'a': b}",
        '{"a": 1 "b": 2}',
        '{"a": 1e999}',
        "so it is",
        "",
    ],
)
def test_what_may_mean_several_things_is_not_repaired(text):
    with pytest.raises(ValueError) as refusal:
        read_json(text, repair=True)
    assert not isinstance(refusal.value, CutJson)


@pytest.mark.parametrize("text", ['{"to": "Ann", "text": "Dear Ann, \\"ü\\" /* x */", "n": [1.5, true, {"a": null}]}'])
def test_a_missing_end_is_told_wherever_the_text_is_cut(text):
    assert read_json(text, repair=True) == orjson.loads(text)
    for end in range(1, len(text)):
        with pytest.raises(CutJson):
            read_json(text[:end], repair=True)


def test_what_was_read_before_a_cut_is_told():
    with pytest.raises(CutJson) as cut:
        read_json('{"action": "say", "action_input": {"text": "Hel', repair=True)
    assert cut.value.value == {"action": "say", "action_input": {"text": "Hel"}}


@pytest.mark.parametrize("text", ["{" * 5_000, "[" * 5_000, '{"a":' * 5_000])
def test_what_is_nested_too_deeply_is_refused(text):
    with pytest.raises(ValueError):
        read_json(text, repair=True)


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ('["a", "b"]', [["a", "b"]]),
        ('As in [x] and [1]: ["a"]', [["a"], [1]]),
        ('["a long list", "of questions"] ```["a"]```', [["a"], ["a long list", "of questions"]]),
        ('<think>["x"]</think>["a"]', [["a"]]),
        ('["a", "b', []),
        ('```json\n["a"]\n```', [["a"]]),
        ('[["a"], ["b"]]', [[["a"], ["b"]], ["a"], ["b"]]),
        ('{"questions": ["a"]}', [["a"]]),
        ("none", []),
        ("[" * 100_000, []),
    ],
)
def test_lists_are_found_the_likeliest_first(text, lists):
    assert list(find_lists(text)) == lists


@pytest.mark.parametrize(
    "part", ["{", "[", '{"a":', "[{", '{"a": 1,', "{'", '{"', "[1, ", "```json\n", "{}", '["a"]', "{/*", "{//\n", '"\\']
)
def test_a_long_text_of_brackets_takes_no_long_time(part):
    text = part * (200_000 // len(part))
    for _ in found_values(text):
        pass


@pytest.mark.parametrize(
    "rest",
    ["1," * 500, '{"a":1},' * 500, '"' + "x" * 500, '"' + "\\n" * 500, "1," * 500 + "1e999", "1," * 500 + "[" * 1_000],
)
@pytest.mark.parametrize("level", [70, 900])
def test_what_brackets_begin_again_and_again_is_read_few_times(
    monkeypatch: pytest.MonkeyPatch, level: int, rest: str
) -> None:
    reads = []

    class Counted(json.JSONDecoder):
        def raw_decode(self, text: str, start: int = 0) -> tuple[Any, int]:
            reads.append(start)
            return super().raw_decode(text, start)

    monkeypatch.setattr(json_answers, "_DECODER", Counted(parse_float=finite_number, parse_int=finite_number))
    for _ in found_values("[" * level + rest):
        pass
    assert len(reads) <= MOST_READS + 1

"""JSON in what models write."""

import pytest

from app.providers.models.json_answers import find_lists, find_object, read_json


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
        ("{'a': 1}", None),
        ('{"a": NaN}', None),
        ('{"a": 1e999}', None),
        ("", None),
        ('{"a": "x\\u0000y\\ud800"}', {"a": "xy?"}),
        ("[" * 100_000, None),
        ('{"a":' * 50_000, None),
    ],
)
def test_the_first_object_is_found(text, found):
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
    ("text", "value"), [("{'a': 1,}", {"a": 1}), ('{"a": [1', {"a": [1]}), ("[{a: b}]", [{"a": "b"}]), ("so it is", "")]
)
def test_a_whole_text_can_be_repaired(text, value):
    assert read_json(text, repair=True) == value


@pytest.mark.parametrize("text", ["{" * 5_000, "[" * 5_000, '{"a":' * 5_000])
def test_what_is_nested_too_deeply_is_refused(text):
    with pytest.raises(ValueError):
        read_json(text, repair=True)


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ('["a", "b"]', [["a", "b"]]),
        ('As in [x] and [1]: ["a"]', [[1], ["a"]]),
        ('```json\n["a"]\n```', [["a"]]),
        ('[["a"], ["b"]]', [[["a"], ["b"]], ["a"], ["b"]]),
        ('{"questions": ["a"]}', [["a"]]),
        ("none", []),
        ("[" * 100_000, []),
    ],
)
def test_lists_are_found_as_they_begin(text, lists):
    assert list(find_lists(text)) == lists

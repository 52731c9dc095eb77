"""JSON objects in what models answer."""

import pytest

from app.workflow.asking.json_answers import find_object


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

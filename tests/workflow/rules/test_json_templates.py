"""JSON bodies: values come into the structure of the template, whatever they hold (contract dsl.md §3.7)."""

import json

import pytest

from app.workflow.failures import NodeFailed
from app.workflow.rules.json_templates import fill_json
from app.workflow.values.files import File
from app.workflow.values.variables import Variables

HOSTILE = [
    'C:\\new\\table "quoted" \\',
    '","admin":true,"x":"',
    '1,"admin":true',
    '{"admin": true}',
    "5",
    "null",
    "",
    "two\nlines\tand\x00more",
    "\\u0041",
    "{{#start.other#}}",
    "'single', \u2028 é 漢 🙂",
]


def fill(template, authored=(), **values):
    """Fill in values of the nodes `n` and `code`; `code` is the author's."""
    variables = Variables()
    variables.set_node("n", values)
    variables.set_node("code", dict(authored))
    return fill_json(template, variables, {"code"})


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "template",
    [
        '{"text": "{{#n.q#}}", "n": 1}',
        '{"text": {{#n.q#}}, "n": 1}',
        '{"text":"{{#n.q#}}","n":1,}',
        "{'text': '{{#n.q#}}', 'n': 1}",
        '{\n  "text": "{{#n.q#}}", // a comment\n  "n": 1\n}',
    ],
)
def test_a_text_arrives_as_it_is_and_nothing_else(template, value):
    assert json.loads(fill(template, q=value)) == {"text": value, "n": 1}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_text_inside_a_longer_one_stays_inside(value):
    sent = json.loads(fill('{"a": ["Hi {{#n.q#}}, {{#n.q#}}!"], "{{#n.q#}}s": {}}', q=value))
    assert sent == {"a": [f"Hi {value}, {value}!"], f"{value}s": {}}


@pytest.mark.parametrize("value", [[], [1, "a"], 5, 1.5, True, False, None, {}, {"a": [{"b": '"'}]}])
def test_a_bare_value_keeps_its_type(value):
    assert json.loads(fill('{"a": {{#n.v#}}, "b": [{{#n.v#}}]}', v=value)) == {"a": value, "b": [value]}


@pytest.mark.parametrize(
    ("value", "text"), [([], ""), (5, "5"), (True, "True"), (None, ""), ({"a": '"'}, '{"a": "\\""}'), (["a"], '["a"]')]
)
def test_a_value_in_quotes_is_a_text(value, text):
    assert json.loads(fill('{"a": "{{#n.v#}}"}', v=value)) == {"a": text}


def test_a_bare_file_is_its_object():
    file = File("i", "image", "local_file", "a.png")
    assert json.loads(fill('{"a": {{#n.f#}}}', f=file)) == {"a": file.as_object()}


def test_a_number_that_json_does_not_know_is_a_text():
    assert json.loads(fill('{"a": {{#n.v#}}}', v=float("nan"))) == {"a": "nan"}


@pytest.mark.parametrize(
    ("template", "sent"),
    [
        ('{"a": -{{#n.v#}}, "b": {{#n.v#}}.5}', {"a": -5, "b": 5.5}),
        ('{"a": {{#n.v#}}-{{#n.v#}}}', {"a": "5-5"}),
        ('{"a": "{{#no.one#}}", "b": {{#no.one#}}}', {"a": "no.one", "b": "no.one"}),
        ('{"a": "he said "{{#n.v#}}" twice"}', {"a": 'he said "5" twice'}),
    ],
)
def test_templates_that_are_nearly_json(template, sent):
    assert json.loads(fill(template, v=5)) == sent


def test_the_text_of_a_template_is_kept():
    template = '{ "a" : 1.0,\n "a": 12345678901234567890.10, "b": %s }'
    assert fill(template % "{{#n.v#}}", v=1) == template % 1


def test_a_key_that_is_there_already_fails():
    with pytest.raises(NodeFailed, match="'role' stands twice"):
        fill('{"role": "user", "{{#n.k#}}": "admin"}', k="role")


class TestAWholeBody:
    """A template that is nothing but a reference: the text of the value is the body."""

    @pytest.mark.parametrize("text", ['{"a": 1}', "[1, 2]", '{"a": 12345678901234567890.10}', '"text"', "5"])
    def test_that_is_json_is_sent_as_it_is(self, text):
        assert fill("{{#n.t#}}", t=text) == text

    @pytest.mark.parametrize("text", ['```json\n{"a": 1}\n```', "{'a': 1,}", 'Here it is: {"a": 1}'])
    def test_that_is_nearly_json_is_repaired(self, text):
        assert json.loads(fill("{{#n.t#}}", t=text)) == {"a": 1}

    @pytest.mark.parametrize("value", [{"a": [1]}, [], 5])
    def test_may_be_a_value(self, value):
        assert json.loads(fill(" {{#n.v#}}\n", v=value)) == value

    @pytest.mark.parametrize("text", ["sample t", "", "[" * 100_000, "{'" * 200])
    def test_that_is_no_json_fails(self, text):
        with pytest.raises(NodeFailed, match="Failed to parse JSON: "):
            fill("{{#n.t#}}", t=text)


class TestWhatTheAuthorsCodeMade:
    @pytest.mark.parametrize(
        ("text", "value"),
        [('{"x": [1]}', {"x": [1]}), ("7", 7), ("hello", "hello"), ("", ""), ('1, "b": 2', '1, "b": 2')],
    )
    def test_is_json_where_it_stands_bare_if_it_is_one_value(self, text, value):
        assert json.loads(fill('{"a": {{#code.t#}}}', {"t": text})) == {"a": value}

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("a\\nb", "a\nb"),
            ('a \\"b\\"', 'a "b"'),
            ("C:\\dir", "C:\\dir"),
            ('", "b": "', '", "b": "'),
            ("\\", "\\"),
        ],
    )
    def test_may_be_escaped_already_where_it_stands_in_quotes(self, text, value):
        assert json.loads(fill('{"a": "{{#code.t#}}"}', {"t": text})) == {"a": value}

    def test_may_be_pieces_of_json(self):
        sent = fill('{ {{#code.members#}}, "q": "{{#n.q#}}" }', {"members": '"a": 1, "b": 2'}, q='","a":3,"x":"')
        assert json.loads(sent) == {"a": 1, "b": 2, "q": '","a":3,"x":"'}


@pytest.mark.parametrize("template", ["sample", "{{#n.v#}}: {{#n.v#}}", "<a>{{#n.v#}}</a>", '{"a": 1} {{#n.v#}}'])
def test_a_template_that_is_no_json_fails(template):
    with pytest.raises(NodeFailed, match="Failed to parse JSON: "):
        fill(template, v="x")


def test_an_empty_template_is_an_empty_body():
    assert fill("  ") == ""

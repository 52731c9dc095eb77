"""Inputs of a visitor against the input form (contract endpoints.md, 'Input form')."""

import pytest

from app.errors import InvalidParam
from app.services.definitions.input_fields import InputField
from app.services.definitions.input_forms import DEEPEST, clean_inputs
from app.workflow.values.files import File


def field(variable, kind="text-input", **values) -> InputField:
    return InputField.read({"variable": variable, "type": kind} | values)


def clean(fields, inputs, longest=0):
    """Every file may be named, and is called after its number."""
    return clean_inputs(
        fields,
        inputs,
        lambda mappings, rules: [File(str(number), "image", "local_file", "") for number in range(len(mappings))],
        longest,
    )


def cleaned(value, kind="text-input", **values):
    return clean([field("x", kind, **values)], {"x": value})["x"]


def refusal(value, kind="text-input", **values):
    with pytest.raises(InvalidParam) as caught:
        cleaned(value, kind, **values)
    return caught.value.message


def test_an_object_that_claims_to_be_a_file_is_none():
    claimed = File("i", "image", "local_file", "a.png", related_id="anybody's").as_object()
    (object_,) = cleaned({"files": [claimed]}, "json_object")["files"]
    assert object_ == {name: value for name, value in claimed.items() if name != "dify_model_identity"}


def test_declared_variables_are_kept_and_others_dropped():
    fields = [field("name"), field("age", "number")]
    assert clean(fields, {"name": "Ann", "age": "7", "other": 1}) == {"name": "Ann", "age": 7}


def test_a_missing_required_variable_is_refused():
    with pytest.raises(InvalidParam) as caught:
        clean([field("name", required=True)], {})
    assert caught.value.message == "name is required in input form"


def test_null_counts_as_missing():
    assert refusal(None, required=True) == "x is required in input form"


@pytest.mark.parametrize("kind", ["text-input", "paragraph"])
def test_an_empty_required_text_is_accepted(kind):
    assert cleaned("", kind, required=True) == ""


def test_an_optional_variable_has_its_default_or_null():
    assert clean([field("x", default="d")], {}) == {"x": "d"}
    assert clean([field("x")], {"x": None}) == {"x": None}


def test_a_default_is_checked_like_a_given_value():
    assert refusal(None, "number", default="many") == "x in input form must be a valid number"
    assert cleaned(None, "number", default="5") == 5


@pytest.mark.parametrize("kind", ["text-input", "paragraph", "select"])
@pytest.mark.parametrize("value", [5, True, ["a"], {"a": 1}])
def test_a_text_must_be_a_string(kind, value):
    assert refusal(value, kind) == f"(type '{kind}') x in input form must be a string"


def test_a_text_may_be_as_long_as_the_form_says():
    assert cleaned("abc", max_length=3) == "abc"
    assert refusal("abcd", max_length=3) == "x in input form must be less than 3 characters"
    assert cleaned("a" * 100_000) == "a" * 100_000


def test_a_choice_must_be_an_option():
    assert cleaned("b", "select", options=["a", "b"]) == "b"
    assert refusal("c", "select", options=["a", "b"]) == "x in input form must be one of the following: ['a', 'b']"


def test_an_empty_choice_is_null_where_it_is_optional():
    assert cleaned("", "select", options=["a"]) is None
    assert refusal("", "select", options=["a"], required=True) == "x in input form must be one of the following: ['a']"
    assert cleaned("", "select", options=["", "a"]) == ""


@pytest.mark.parametrize(
    "value, number",
    [(5, 5), (2.5, 2.5), ("7", 7), (" -7 ", -7), ("2.50", 2.5), (".5", 0.5), ("5.", 5.0), ("", None), ("  ", None)],
)
def test_numbers(value, number):
    result = cleaned(value, "number")
    assert (result, type(result)) == (number, type(number))


@pytest.mark.parametrize(
    "value", ["five", "1e5", "1_000", "0x10", "nan", "1.2.3", True, [1], float("nan"), float("-inf"), float("inf")]
)
def test_what_is_no_number_is_refused(value):
    assert refusal(value, "number") == "x in input form must be a valid number"


@pytest.mark.parametrize("value", ["9" * 5000, "9" * 400, "-" + "9" * 400, "9" * 400 + ".5", 10**400])
def test_numbers_without_measure_are_refused(value):
    assert refusal(value, "number") == "x in input form must be a valid number"


def test_numbers_may_be_longer_than_machine_words():
    assert cleaned("9" * 30, "number") == cleaned(int("9" * 30), "number") == int("9" * 30)


@pytest.mark.parametrize("value", [True, 1, 1.0, "true", " YES ", "on", "1"])
def test_checked_boxes(value):
    assert cleaned(value, "checkbox") is True


@pytest.mark.parametrize("value", [False, 0, "False", "no", "OFF", "0"])
def test_empty_boxes(value):
    assert cleaned(value, "checkbox") is False


@pytest.mark.parametrize("value", ["maybe", "", 2, [True]])
def test_what_is_no_box_is_refused(value):
    assert refusal(value, "checkbox") == "x in input form must be true or false"


@pytest.mark.parametrize("kind", ["number", "checkbox"])
@pytest.mark.parametrize("value", [{"a": 1}, [{"a": 1}]])
def test_objects_are_refused_where_none_belongs(kind, value):
    assert refusal(value, kind) == "Invalid input type for x"


def test_an_object_is_taken_as_it_is():
    assert cleaned({"a": [1, {"b": None}]}, "json_object") == {"a": [1, {"b": None}]}
    assert cleaned("", "json_object") is None
    assert refusal([1], "json_object") == "x in input form must be a dict"


def test_files_become_file_objects_without_a_link():
    mapping = {"type": "image", "transfer_method": "remote_url", "url": "http://localhost/a.png"}
    one = cleaned(mapping, "file")
    assert (one["dify_model_identity"], one["id"], one["url"]) == ("__dify__file__", "0", None)
    assert [item["id"] for item in cleaned([mapping, mapping], "file-list")] == ["0", "1"]


def test_a_list_may_hold_as_many_files_as_the_form_says():
    mapping = {"type": "image", "transfer_method": "remote_url", "url": "http://localhost/a.png"}
    assert len(cleaned([mapping] * 2, "file-list", max_length=2)) == 2
    assert refusal([mapping] * 3, "file-list", max_length=2) == "x in input form must be less than 2 files"


def test_empty_files_are_no_files():
    assert cleaned("", "file") is None
    assert cleaned("", "file-list") is None
    assert cleaned([], "file-list") == []


def test_what_is_no_file_is_refused():
    assert refusal("a.png", "file") == "x in input form must be a file"
    assert refusal(["a.png"], "file-list") == "x in input form must be a list of files"


def test_nul_characters_are_removed_everywhere():
    assert cleaned("a\0b") == "ab"
    assert cleaned({"k\0": ["a\0", {"b": "\0"}]}, "json_object") == {"k": ["a", {"b": ""}]}


def test_an_object_may_not_be_bottomless():
    value: dict[str, object] = {}
    for _ in range(DEEPEST + 1):
        value = {"a": value}
    assert refusal(value, "json_object") == "x in input form is nested too deeply"


def test_the_variable_of_an_external_data_tool_is_not_the_visitors():
    assert clean([field("weather", "external_data_tool", required=True)], {"weather": "sunny"}) == {}


def test_an_empty_default_of_a_box_or_a_number_is_none():
    kinds = ("checkbox", "number", "file", "json_object", "paragraph")
    assert clean([field(kind, kind, default="") for kind in kinds], {}) == {
        "checkbox": None,
        "number": None,
        "file": None,
        "json_object": None,
        "paragraph": "",
    }


@pytest.mark.parametrize(
    ("kind", "fits", "too_long"),
    [("text-input", "äbcde", "äbcdef"), ("paragraph", "abcde", "abcdef"), ("json_object", {}, {"a": [1]})],
)
def test_a_value_without_a_length_of_its_own_has_the_installations(kind, fits, too_long):
    assert clean([field("x", kind)], {"x": fits}, longest=5)["x"] == fits
    with pytest.raises(InvalidParam, match="x in input form must be less than 5 characters"):
        clean([field("x", kind)], {"x": too_long}, longest=5)


def test_the_fields_own_length_wins_over_the_installations():
    assert clean([field("x", max_length=9)], {"x": "abcdefgh"}, longest=5) == {"x": "abcdefgh"}

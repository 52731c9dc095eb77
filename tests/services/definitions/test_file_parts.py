"""The base of the models of an app file: what an import refuses, and what is read of a stored file instead."""

from typing import Annotated

import pydantic
import pytest

from app.services.definitions.file_parts import (
    UNCHECKED,
    Fallback,
    FilePart,
    ListOf,
    Switch,
    Text,
    UncheckedPart,
    at_import,
)


def check_even(number):
    if number % 2:
        raise ValueError("must be even")


class Inner(UncheckedPart):
    size: int = 1


class Part(FilePart):
    name: Annotated[str, Fallback("")]
    kind: Annotated[str, Fallback("plain")] = "plain"
    number: Annotated[int, at_import(check_even)] = 0
    names: ListOf[str] = ()
    hint: Annotated[str, UNCHECKED] = ""
    inner: Inner = Inner.read({"size": 7})
    several: ListOf[Inner] = ()


GOOD = {"name": "n"}


def read(**values):
    return Part.read(GOOD | values)


def test_a_sound_part_is_the_same_for_imports_and_for_readers():
    values = GOOD | {"kind": "k", "number": 2, "names": ["a"], "hint": "h", "inner": {"size": 3}, "several": [{}]}
    assert Part.model_validate(values) == Part.read(values)
    inner, several = Inner.read({"size": 3}), (Inner.read({}),)
    assert dict(Part.read(values)) == values | {"names": ("a",), "inner": inner, "several": several}


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({}, ("name",)),
        ({"name": None}, ("name",)),
        (GOOD | {"kind": None}, ("kind",)),
        (GOOD | {"number": "2"}, ("number",)),
        (GOOD | {"number": True}, ("number",)),
        (GOOD | {"number": 3}, ("number",)),
        (GOOD | {"names": "a"}, ("names",)),
        (GOOD | {"names": ["a", 5]}, ("names", 1)),
        (GOOD | {"inner": []}, ("inner",)),
        (GOOD | {"several": [{}, None]}, ("several", 1)),
        ([], ()),
    ],
)
def test_imports_refuse_a_field_by_its_place(values, place):
    with pytest.raises(pydantic.ValidationError) as caught:
        Part.model_validate(values)
    (error,) = caught.value.errors()
    assert error["loc"] == place


def test_null_counts_as_absent_at_import_too():
    part = Part.model_validate(GOOD | dict.fromkeys(("number", "names", "hint", "inner", "several")))
    assert dict(part) == dict(Part.model_validate(GOOD))


def test_imports_look_at_nothing_inside_an_unchecked_part_nor_at_an_unchecked_field():
    part = Part.model_validate(GOOD | {"hint": 5, "inner": {"size": "big"}, "several": [{"size": 2}, {"size": []}]})
    assert (part.hint, part.inner.size, [inner.size for inner in part.several]) == ("", 1, [2, 1])


def test_readers_take_what_they_can():
    part = Part.read(
        {"name": 5, "kind": None, "number": "2", "names": ["a", 5, None, "b"], "several": [5, {"size": 2}]}
    )
    assert (part.name, part.kind, part.number, part.names) == ("", "plain", 0, ("a", "b"))
    assert [inner.size for inner in part.several] == [2]
    # What only imports demand.
    assert read(number=3).number == 3


@pytest.mark.parametrize("value", [None, {}, [], "x"])
def test_a_part_that_says_nothing_is_the_default_one(value):
    assert read(inner=value).inner.size == 7
    assert read(inner={"other": 1}).inner.size == 1


def test_the_mapping_of_the_file_is_kept_as_it_is():
    values = {"name": 5, "unheard": {"of": 1}}
    assert Part.read(values).stored is values
    assert read().inner.stored == {"size": 7}


def test_parts_cannot_be_changed():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        read().name = "other"


@pytest.mark.parametrize(
    ("value", "text", "switch"),
    [("x", "x", True), ("", "", False), (5, "5", True), (0, "", False), (None, "", False), ([], "", False)],
)
def test_texts_and_switches_take_anything(value, text, switch):
    class Loose(UncheckedPart):
        text: Text = "absent"
        switch: Switch = True

    part = Loose.read({"text": value, "switch": value})
    assert (part.text, part.switch) == (text, switch)
    assert (Loose.read({}).text, Loose.read({}).switch) == ("absent", True)

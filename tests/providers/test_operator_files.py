"""The reader of operators' files: what is wrong, and where; variables of the environment."""

import pathlib

import pytest

from app.providers.operator_files import (
    InvalidOperatorFile,
    Strict,
    UnsetVariable,
    filled,
    read_operator_file,
    value_of,
    variable_name,
)


class Picture(Strict):
    address: str


class Desk(Strict):
    name: str
    icon: str | Picture | None = None
    drawers: list[int] = []


class House(Strict):
    desks: dict[str, Desk] = {}
    notes: list[Desk] = []


def read(folder: pathlib.Path, text: str) -> House:
    path = folder / "house.yml"
    path.write_text(text)
    return read_operator_file(path, House)


def complaint(folder: pathlib.Path, text: str) -> str:
    with pytest.raises(InvalidOperatorFile) as failed:
        read(folder, text)
    return str(failed.value).removeprefix(f"{folder / 'house.yml'}: ")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_holds_nothing(tmp_path: pathlib.Path, text: str) -> None:
    assert read(tmp_path, text) == House()


def test_anchors_and_merges_are_read(tmp_path: pathlib.Path) -> None:
    house = read(tmp_path, "desks:\n  a: &a {name: A, drawers: [1]}\n  b:\n    <<: *a\n    name: B\n")
    assert house.desks["b"] == Desk(name="B", drawers=[1])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("desks:\n  front:\n    name: 5\n", "line 3: desks.front.name: "),
        ("desks:\n  front:\n    drawers: []\n", "line 2: desks.front.name: Field required"),
        ("desks:\n  front:\n    name: a\n    drawers:\n      - 1\n      - two\n", "line 6: desks.front.drawers[1]: "),
        ("notes:\n  - name: a\n  -\n    nam: b\n", "line 4: notes[1].name: Field required"),
        ("notes:\n  - {name: a, colour: red}\n", "line 2: notes[0].colour: is not known here"),
        ("desks:\n  front:\n    name: a\n    icon: {address: 5}\n", "line 4: desks.front.icon: "),
        ("desks:\n  5: {name: a}\n", "line 2: desks.5: "),
        ("desks:\n  front: a\n", "line 2: desks.front: "),
        ("# a list\n\n- a\n", "line 3: the document: "),
        ("desks:\n\tfront: a\n", "line 2: is not valid YAML: "),
        ("desks: {front: {name: a}}\n---\n{}\n", "line 2: is not valid YAML: "),
        ("desks: 2024-13-45\n", "is not valid YAML"),
        ("desks: !!int many\n", "is not valid YAML"),
        ("[" * 5000, "is not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_place(tmp_path: pathlib.Path, text: str, where: str) -> None:
    told = complaint(tmp_path, text)
    assert told.startswith(where) and "\n" not in told


def test_a_mistake_shows_no_value(tmp_path: pathlib.Path) -> None:
    assert "secret" not in complaint(tmp_path, "desks: {front: {name: [secret]}}")


def test_a_check_of_the_caller_has_lines_too(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "house.yml"
    path.write_text("desks:\n  a: {name: A}\n  b:\n    name: A\n")
    with pytest.raises(InvalidOperatorFile) as failed:
        read_operator_file(path, House, lambda house: [(("desks", "b", "name"), "is taken")])
    assert str(failed.value) == f"{path}: line 4: desks.b.name: is taken"


@pytest.mark.parametrize(
    ("text", "name"), [("$KEY", "KEY"), ("${KEY_2}", "KEY_2"), ("KEY", None), ("$KEY!", None), ("${KEY", None)]
)
def test_a_variable_has_a_dollar(text: str, name: str | None) -> None:
    assert variable_name(text) == name


def test_variables_are_filled_in_wherever_they_stand() -> None:
    assert filled("Bearer $KEY, ${KEY}s", {"KEY": "k"}) == "Bearer k, ks"


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}, {"KEY": "  "}])
def test_a_variable_without_a_value_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(UnsetVariable, match="the variable KEY is not set"):
        filled("Bearer $KEY", environment)
    with pytest.raises(UnsetVariable) as failed:
        value_of("KEY", environment)
    assert failed.value.name == "KEY"

"""`flask datasets …`: datasets are created, filled, searched, bound and removed."""

import json
import secrets

import pytest

from tests.support.factories import make_app

pytestmark = pytest.mark.usefixtures("model")


@pytest.fixture
def run(run):
    return lambda *line: run("datasets", *line)


@pytest.fixture
def name(run):
    """The name of an empty dataset."""
    name = f"cli-{secrets.token_hex(4)}"
    assert run("create", name)[0] == 0
    return name


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "vacation.md").write_text("Everybody has 25 days of vacation.")
    (tmp_path / "parking.txt").write_text("The car park opens at seven.")
    (tmp_path / ".hidden.md").write_text("Nobody reads this.")
    return tmp_path


def test_a_dataset_is_made_filled_searched_and_removed(run, name, folder):
    code, out, _ = run("add", name, folder)
    assert code == 0
    assert "parking.txt: added, 1 segments, 6 words" in out
    code, out, _ = run("search", name, "how many days of vacation")
    assert code == 0 and "rules/vacation.md, segment 1" in out
    assert run("remove", name)[0] == 0
    assert run("show", name)[0] == 1


def test_what_is_shown_as_json_is_whole(run, name, folder):
    added = json.loads(
        run("add", name, folder, "--metadata", "team=office", "--metadata", "year=number:2026", "--json")[1]
    )
    assert [(entry["name"], entry["outcome"]) for entry in added["added"]] == [
        ("parking.txt", "added"),
        ("rules/vacation.md", "added"),
    ]
    shown = json.loads(run("show", name, "--json")[1])
    assert (shown["documents"][0]["metadata"]["team"], shown["documents"][0]["metadata"]["year"]) == ("office", 2026)
    assert (shown["search_method"], shown["segments"]) == ("full_text", 2)
    (source, *_) = json.loads(run("search", name, "vacation", "--json")[1])
    assert source["document_name"] == "rules/vacation.md"
    assert name in [dataset["name"] for dataset in json.loads(run("list", "--json")[1])]
    assert name in run("list")[1]


def test_what_cannot_be_read_is_told_and_the_rest_goes_in(run, name, folder):
    (folder / "broken.pdf").write_bytes(b"no pdf")
    code, out, err = run("add", name, folder, folder / "missing.md")
    assert code == 1
    assert "broken.pdf" in err and "missing.md: cannot be read" in err
    assert "parking.txt: added" in out


def test_an_embedding_model_is_named_when_the_dataset_is_made(run):
    name = f"cli-{secrets.token_hex(4)}"
    dataset = json.loads(run("create", name, "--embedding-model", "embed-small", "--json")[1])
    assert (dataset["search_method"], dataset["dimensions"]) == ("hybrid", 64)


def test_a_binding_is_shown(run, name):
    app = make_app()
    assert run("bind", app.code, "old-id", name) == (0, f"The app {app.code} now searches '{name}' for old-id.\n", "")
    assert json.loads(run("show", name, "--json")[1])["bindings"] == [{"app": app.code, "file_dataset_id": "old-id"}]


def test_documents_are_removed_by_name(run, name, folder):
    run("add", name, folder)
    assert run("remove", name, "parking.txt")[0] == 0
    assert run("remove", name, "parking.txt") == (1, "", "There is no document 'parking.txt'.\n")


@pytest.mark.parametrize(
    "line",
    [
        ("show", "nothing"),
        ("add", "nothing", "a.md"),
        ("search", "nothing", "x"),
        ("remove", "nothing"),
        ("bind", "nothing", "x", "nothing"),
        ("create", " "),
        ("create", "x", "--search", "semantic"),
        ("create", "x", "--embedding-model", "m", "--embedding-provider", ""),
    ],
)
def test_mistakes_are_one_line(run, line, model):
    model.script_vectors(*["model_not_found"] * 5)
    code, _, err = run(*line)
    assert code == 1
    assert err.startswith("Error: ") and err.count("\n") == 1


@pytest.mark.parametrize("metadata", ["team", "=x", "year=number:many"])
def test_metadata_has_a_name_and_a_value(run, name, folder, metadata):
    code, _, err = run("add", name, folder, "--metadata", metadata)
    assert code == 2 and "--metadata" in err

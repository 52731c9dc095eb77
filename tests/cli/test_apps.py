"""`flask apps …` and `flask models …`, and how commands fail."""

import json
import pathlib
import secrets

import pytest
import yaml
from flask import Flask

from app import cli
from app.cli.groups import DATABASE_BEHIND, DATABASE_UNREACHABLE
from app.factory import create_app
from app.services.definitions import published_apps
from app.services.operator.app_checks import NO_DATABASE
from config import Config
from tests.support.factories import chat_definition, make_app


@pytest.fixture
def file(tmp_path):
    """Write an app file; its path."""

    def write(definition=None, name="app.yml") -> pathlib.Path:
        path = tmp_path / name
        path.write_text(yaml.safe_dump(definition or chat_definition()))
        return path

    return write


@pytest.fixture
def web_app_url(app, monkeypatch):
    monkeypatch.setitem(app.config, "WEB_APP_URL", "http://localhost:3000")


@pytest.fixture
def no_pages(app, monkeypatch):
    monkeypatch.setitem(app.config, "WEB_APP_URL", "")


def new_code() -> str:
    return f"test-{secrets.token_hex(8)}"


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    return text.strip()


def test_import_publishes_and_says_where(run, file, web_app_url):
    code = new_code()
    exit_code, out, err = run("apps", "import", file(), "--code", code)
    assert (exit_code, err) == (0, "")
    assert "Plain chat (chat): created" in out and f"http://localhost:3000/chat/{code}" in out
    assert published_apps.by_code(code).definition.stored == chat_definition()


def test_import_says_that_the_pages_address_is_not_known(run, file, no_pages):
    _, out, _ = run("apps", "import", file())
    assert "WEB_APP_URL is not set" in out


def test_import_as_json(run, file):
    code = new_code()
    definition = chat_definition(annotation_reply={"enabled": True})
    exit_code, out, _ = run("apps", "import", path := file(definition), "--code", code, "--json")
    (line,) = json.loads(out)
    app = published_apps.by_code(code)
    assert exit_code == 0
    assert {name: line[name] for name in ("file", "id", "code", "mode", "name")} == {
        "file": str(path),
        "id": str(app.id),
        "code": code,
        "mode": "chat",
        "name": "Plain chat",
    }
    assert len(line["warnings"]) == 1


def test_import_again_updates_in_place(run, file):
    code = new_code()
    ids, outcomes = set(), []
    for definition in (chat_definition(), chat_definition(), chat_definition(pre_prompt="New")):
        (line,) = json.loads(run("apps", "import", file(definition), "--code", code, "--json")[1])
        ids.add(line["id"])
        outcomes.append(line["outcome"])
    assert (len(ids), outcomes) == (1, ["created", "unchanged", "updated"])


def test_a_bad_file_leaves_no_trace_and_the_others_are_published(run, file, tmp_path):
    good, bad, better = file(name="a.yml"), file({"app": {}}, "b.yml"), file(name="c.yml")
    exit_code, out, err = run("apps", "import", good, bad, tmp_path / "none.yml", better, "--json")
    assert exit_code == 1
    lines = json.loads(out)
    assert [(line["file"], line["outcome"]) for line in lines] == [
        (str(good), "created"),
        (str(bad), "refused"),
        (str(tmp_path / "none.yml"), "refused"),
        (str(better), "created"),
    ]
    assert "Missing app data" in lines[1]["errors"][0] and lines[0]["errors"] == []
    assert "[4/4]" in err
    assert f"Error: {bad}: Missing app data" in err and "none.yml: cannot be read: No such file" in err


@pytest.mark.parametrize(
    "change, text", [({"model": {}}, "model_config.model.provider"), ({"pre_prompt": 5}, "model_config.pre_prompt")]
)
def test_a_refused_file_is_one_line(run, file, change, text):
    code = new_code()
    exit_code, out, err = run("apps", "import", file(chat_definition(**change)), "--code", code)
    assert (exit_code, out) == (1, "")
    assert text in one_line(err)
    assert published_apps.by_code(code) is None


def test_a_code_is_for_one_file(run, file):
    exit_code, _, err = run("apps", "import", file(), file(name="b.yml"), "--code", new_code())
    assert exit_code == 1 and "--code is for one file" in one_line(err)


def test_a_bad_code_is_refused(run, file):
    exit_code, _, err = run("apps", "import", file(), "--code", "a b")
    assert exit_code == 1 and "cannot be used" in one_line(err)


def test_the_same_file_again_updates_its_app_and_new_makes_another(run, file):
    path = file()
    imports = [json.loads(run("apps", "import", path, *more, "--json")[1])[0] for more in ([], [], ["--new"])]
    assert [line["outcome"] for line in imports] == ["created", "unchanged", "created"]
    assert len({line["code"] for line in imports}) == 2
    exit_code, _, err = run("apps", "import", path, "--new", "--code", new_code())
    assert exit_code == 1 and "leave --code out" in one_line(err)


def test_import_prints_a_line_to_try_the_app_with(run, file):
    code = new_code()
    _, out, _ = run("apps", "import", file(), "--code", code)
    (line,) = [line.strip() for line in out.splitlines() if line.startswith("  try ")]
    assert "curl -sN" in line and f"X-App-Code: {code}" in line and "/api/chat-messages" in line


class TestCheck:
    """`apps check`: what an import would say, without one."""

    def test_a_good_file_passes_and_is_not_published(self, run, file):
        count = len(json.loads(run("apps", "list", "--json")[1]))
        path = file()
        assert run("apps", "check", path) == (0, f"{path}: Plain chat (chat) can be published\n", "")
        assert len(json.loads(run("apps", "list", "--json")[1])) == count

    def test_warnings_are_told_and_pass(self, run, file):
        exit_code, out, _ = run("apps", "check", file(chat_definition(pre_promtp="x")))
        assert exit_code == 0 and "can be published, with warnings" in out
        assert "  warning  model_config: the key 'pre_promtp' is unknown and not read" in out

    def test_every_error_is_told_and_fails(self, run, file):
        exit_code, out, _ = run(
            "apps", "check", file(chat_definition(pre_prompt=5, prompt_type="x")), file(name="b.yml")
        )
        assert exit_code == 1 and out.count("  error    model_config.") == 2
        assert "b.yml: Plain chat (chat) can be published" in out

    def test_broken_yaml_is_told_with_line_and_column(self, run, tmp_path):
        path = tmp_path / "broken.yml"
        path.write_text("app:\n  name: [a\n  mode: chat\n")
        exit_code, out, _ = run("apps", "check", path, "--json")
        (line,) = json.loads(out)
        assert exit_code == 1 and line["file"] == str(path)
        assert line["errors"][0].startswith("Invalid YAML format: line 3, column ")

    def test_a_file_that_is_not_there_is_told(self, run, tmp_path):
        exit_code, out, _ = run("apps", "check", tmp_path / "none.yml")
        assert exit_code == 1 and "cannot be read: No such file" in out

    def test_it_needs_no_database(self, run_in, settings, file):
        away = app_with(settings, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
        knowing = chat_definition(
            dataset_configs={"datasets": {"datasets": [{"dataset": {"enabled": True, "id": "d"}}]}}
        )
        assert run_in(away, "apps", "check", file())[0] == 0
        exit_code, out, _ = run_in(away, "apps", "check", file(knowing))
        assert exit_code == 0 and NO_DATABASE in out


def test_list(run):
    app = make_app()
    assert app.code in run("apps", "list")[1]
    (listed,) = [entry for entry in json.loads(run("apps", "list", "--json")[1]) if entry["code"] == app.code]
    assert (listed["id"], listed["mode"], listed["enabled"], listed["versions"]) == (str(app.id), "chat", True, 1)


def test_show(run, web_app_url):
    form = [{"text-input": {"variable": "topic", "label": "Topic", "required": True}}]
    app = make_app(user_input_form=form, annotation_reply={"enabled": True})
    exit_code, out, _ = run("apps", "show", app.code)
    assert exit_code == 0
    for text in (
        "openai scripted",
        "topic (text-input, required)",
        "Annotation replies",
        f"http://localhost:3000/chat/{app.code}",
    ):
        assert text in out
    assert json.loads(run("apps", "show", app.code, "--json")[1])["inputs"] == ["topic (text-input, required)"]


def test_show_without_a_front_end(run, no_pages):
    assert "WEB_APP_URL is not set" in run("apps", "show", make_app().code)[1]


def test_export_is_a_file_to_import(run, tmp_path):
    app = make_app()
    path = tmp_path / "out.yml"
    assert run("apps", "export", app.code, "--output", path) == (0, "", "")
    assert run("apps", "export", app.code)[1] == path.read_text()
    assert json.loads(run("apps", "import", path, "--code", app.code, "--json")[1])[0]["outcome"] == "unchanged"


def test_export_to_a_missing_folder_is_refused(run, tmp_path):
    exit_code, _, err = run("apps", "export", make_app().code, "--output", tmp_path / "none" / "out.yml")
    assert exit_code == 1 and "cannot be written" in one_line(err)


def test_disable_and_enable(run, client):
    app = make_app()
    passport = {"headers": {"X-App-Code": app.code}}
    assert "off" in run("apps", "disable", app.code)[1]
    assert client.get("/api/passport", **passport).status_code == 404
    assert json.loads(run("apps", "enable", app.code, "--json")[1])["state"] == "on"
    assert client.get("/api/passport", **passport).status_code == 200


def test_remove_asks_first(app):
    code = make_app().code
    runner = app.test_cli_runner()
    assert runner.invoke(args=["apps", "remove", code], input="n\n").exit_code == 1
    assert published_apps.by_code(code) is not None
    assert runner.invoke(args=["apps", "remove", code], input="y\n").exit_code == 0
    assert published_apps.by_code(code) is None


def test_remove_without_asking(run):
    code = make_app().code
    assert run("apps", "remove", code, "--yes")[0] == 0
    assert run("apps", "show", code)[0] == 1


@pytest.mark.parametrize("command", ["show", "export", "disable", "enable", "remove"])
def test_an_unknown_app_is_one_line(run, command):
    exit_code, out, err = run("apps", command, "nobody")
    assert (exit_code, out, one_line(err)) == (1, "", "Error: There is no app with the code 'nobody'.")


def test_models_are_listed_without_keys(run, scripted_model):
    exit_code, out, _ = run("models", "list")
    assert exit_code == 0
    assert scripted_model.base_url in out and "sk-scripted" not in out
    assert {line["kind"] for line in json.loads(run("models", "list", "--json")[1])} >= {"chat", "embedding"}


def test_models_are_tried(run, model):
    exit_code, out, err = run("models", "check", "--json")
    assert err == ""
    chat = next(line for line in json.loads(out) if line["kind"] == "chat")
    assert (chat["problem"], chat["seconds"] >= 0) == ("", True)
    assert exit_code == (1 if any(line["problem"] for line in json.loads(out)) else 0)


def test_a_model_server_that_is_away_is_an_error(run_in, settings):
    exit_code, out, _ = run_in(app_with(settings, OPENAI_BASE_URL="http://127.0.0.1:1/v1"), "models", "check")
    assert exit_code == 1 and "answers after" not in out


def test_no_model_server_is_said(run_in, settings):
    app = app_with(settings, OPENAI_BASE_URL="")
    assert "No model server is set" in run_in(app, "models", "list")[1]
    assert run_in(app, "models", "check")[0] == 1


def test_a_bad_models_file_is_one_line(run_in, settings, tmp_path):
    path = tmp_path / "models.yml"
    path.write_text("endpoints: 5")
    exit_code, _, err = run_in(app_with(settings, MODELS_FILE=str(path)), "models", "list")
    assert exit_code == 1 and str(path) in one_line(err)


@pytest.mark.parametrize("line", [["list"], ["show", "x"], ["import"]])
def test_a_database_that_is_away_is_one_line(run_in, settings, file, line):
    app = app_with(settings, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    words = [*line, file()] if line == ["import"] else line
    exit_code, out, err = run_in(app, "apps", *words)
    assert (exit_code, out, one_line(err)) == (1, "", f"Error: {DATABASE_UNREACHABLE}")


def test_a_database_without_tables_is_one_line(run_in, settings):
    url = settings["DATABASE_URL"]
    elsewhere = f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dpg_temp"
    exit_code, _, err = run_in(app_with(settings, DATABASE_URL=elsewhere), "apps", "list")
    assert (exit_code, one_line(err)) == (1, f"Error: {DATABASE_BEHIND}")


def app_with(settings: dict[str, str], **others: str) -> Flask:
    """Another app, its commands alone."""
    return create_app(Config({**settings, **others}), cli.register)

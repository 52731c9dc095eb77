"""What README.md and app/docs say exists: commands with their options, links, make targets, files, log events."""

import pathlib
import re
import shlex
from collections.abc import Iterator

import click
import pytest
from celery.bin.celery import celery as celery_command
from flask.cli import FlaskGroup, ScriptInfo

from app import cli
from app.factory import create_app
from config import Config
from tests.support.paths import PROJECT

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "app" / "docs").glob("*.md"))]
LOGS = PROJECT / "app" / "docs" / "logs.md"
FLASK = ".venv/bin/flask --app wsgi "
CELERY = ".venv/bin/celery -A celery_worker "
# Code between backticks, and whole blocks of it; a line that ends with a backslash goes on.
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
FOLDERS = ("app", "tests", "migrations", "api", "services", "streams", "workflow", "providers", "models", "versions")
WIDEST = 120


def code_of(page: pathlib.Path) -> list[str]:
    """Every piece of code of a page, a line each; what stands between backticks in a line is a piece of its own."""
    text = page.read_text()
    blocks = [block.replace("\\\n", " ") for _, block in FENCED.findall(text)]
    inline = [piece.replace("\n", " ") for piece in INLINE.findall(FENCED.sub("", text))]
    return [line for block in blocks for line in block.splitlines()] + inline


def commands(prefix: str) -> list[tuple[pathlib.Path, str]]:
    """(page, what follows the prefix) for every command that begins with it."""
    return [
        (page, line.partition(prefix)[2])
        for page in PAGES
        for line in code_of(page)
        if prefix in line.partition("#")[0]
    ]


def shown(value: object) -> str:
    return value.name if isinstance(value, pathlib.Path) else str(value)


@pytest.fixture(scope="module")
def flask_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[click.Context]:
    """The `flask` command of the app, with its groups; no server is asked."""
    config = Config({"DATA_DIR": str(tmp_path_factory.mktemp("data")), "LOG_LEVEL": "ERROR"})
    # Flask enters an app's context in it, which must not stay for the tests that follow.
    with click.Context(FlaskGroup(), obj=ScriptInfo(create_app=lambda: create_app(config, cli.register))) as context:
        yield context


@pytest.mark.parametrize(("page", "line"), commands(FLASK), ids=shown)
def test_a_flask_command_is_one_that_the_app_has(flask_command, page, line):
    context, command, words = flask_command, flask_command.command, shlex.split(line, comments=True)
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r}"
        context, command = click.Context(found, context, name), found
    # Raises click.UsageError for options and arguments that the command does not take.
    command.make_context(command.name, words, context.parent)


@pytest.mark.parametrize(("page", "line"), commands(CELERY), ids=shown)
def test_a_celery_command_has_options_that_celery_knows(page, line):
    name, *words = shlex.split(line, comments=True)
    options = {option for parameter in celery_command.commands[name].params for option in parameter.opts}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given - options == set()


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_programs_are_named_by_one_spelling(page):
    """As they are found in the checkout, without an active environment."""
    text = page.read_text()
    started = re.findall(r"([\w./]*)\b(?:flask --app|celery -A|gunicorn -c|python -m)", text)
    assert {folder.removeprefix("/srv/frontdesk/") for folder in started} <= {".venv/bin/"}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page):
    text = FENCED.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.is_file(), target
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert not anchor or anchor in anchors, target


def test_every_page_is_linked_from_the_readme():
    linked = set(re.findall(r"\]\(app/docs/([\w-]+\.md)", PAGES[0].read_text()))
    assert linked == {page.name for page in PAGES[1:]}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_make_has_the_targets(page):
    known = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = {target for line in code_of(page) for target in re.findall(r"\bmake ([a-z-]+)", line)}
    assert named - known == set()


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_files_are_where_the_text_says(page):
    """Paths from the project's top or from `app/`; capitals stand for a name of the reader's."""
    named = {piece for piece in code_of(page) if re.fullmatch(rf"({'|'.join(FOLDERS)})/[a-z0-9_/.-]+", piece)}
    roots = (PROJECT, PROJECT / "app", PROJECT / "app" / "workflow")
    assert [piece for piece in sorted(named) if not any((root / piece).exists() for root in roots)] == []


def test_every_log_event_is_explained():
    call = re.compile(r'\blog\.\w+\(\s*"(\w+\.\w+|request)"')
    written = {event for path in (PROJECT / "app").rglob("*.py") for event in call.findall(path.read_text())}
    rows = re.findall(r"^\| (`[^|]+`) \| (?:info|warning|error) \|", LOGS.read_text(), re.MULTILINE)
    assert {event for row in rows for event in INLINE.findall(row)} == written


def test_every_line_of_the_providers_is_explained():
    """They log sentences, whose beginnings the page has."""
    call = re.compile(r'\blogger\.(?:info|warning|error)\(\s*"([^"%:]+[^"%: ])')
    written = {line for path in (PROJECT / "app").rglob("*.py") for line in call.findall(path.read_text())}
    page = LOGS.read_text()
    assert written and [line for line in sorted(written) if f"`{line}" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_lines_fit_a_screen_but_for_tables(page):
    lines = page.read_text().splitlines()
    assert [line for line in lines if len(line) > WIDEST and not line.startswith("|")] == []

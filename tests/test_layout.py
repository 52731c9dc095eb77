"""The house rules that a machine can hold."""

import ast
import collections
import importlib
import pathlib
import re
import subprocess
import sys

import pytest
import sqlalchemy

import app.models
from app.extensions import Base
from app.models import checkpoints, forms, task_beginnings, tasks
from tests.support.paths import PROJECT

FAMILIES = {
    "site": "app_info",
    "parameters": "app_info",
    "meta": "app_info",
    "webapp": "app_info",
    "system-features": "app_info",
    "audio-to-text": "audio",
    "text-to-audio": "audio",
    "form": "human_input",
    "human-input-forms": "human_input",
    "logout": "login",
    "email-code-login": "login",
    "forgot-password": "login",
}
# In two parts, for this file is looked at, too.
FORMATTER_OFF = "# fmt" + ": "
TOP_LEVEL = {
    "setup.cfg",
    "wsgi.py",
    "app",
    "migrations",
    "tests",
    "celery_worker.py",
    "config.py",
    "Makefile",
    "README.md",
}
AWAY = {"DATABASE_URL": "postgresql://127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9", "SECRET_KEY": "k" * 32}

MODELS = PROJECT / "app" / "models"
TASK_MODULES = (checkpoints, forms, task_beginnings, tasks)
DATABASE_PACKAGES = {"sqlalchemy", "flask_sqlalchemy", "psycopg2"}
SESSION_HANDLING = {"add", "add_all", "commit", "connection", "delete", "flush", "merge", "remove", "rollback"}
RUNNING_A_STATEMENT = {"exec_driver_sql", "execute", "query", "scalar", "scalars"}
# Redis's pipelines are executed, and so are tasks.
NO_CONNECTIONS = {"pipeline", "task_execution"}
# They make the engines and their pools, and a driver that greenlets can share.
BINDING = {"extensions.py", "database_pool.py", "database_waits.py"}
# What a caller may catch.
ERRORS_ONLY = {f"sqlalchemy.exc.{name}" for name in vars(sqlalchemy.exc)}


def sources(folder: str) -> list[pathlib.Path]:
    return sorted((PROJECT / folder).rglob("*.py"))


def test_the_url_names_the_file(bound_app):
    for rule in bound_app.url_map.iter_rules():
        view = bound_app.view_functions[rule.endpoint]
        module = getattr(getattr(view, "view_class", None), "__module__", "")
        if module.startswith("app.api.web."):
            segment = rule.rule.removeprefix("/api/").split("/")[0]
            assert module == f"app.api.web.{FAMILIES.get(segment, segment).replace('-', '_')}", rule.rule


@pytest.mark.parametrize("path", sources("app/api/web"), ids=str)
def test_a_route_decides_nothing(path):
    assert not re.search(r"(\bsession\b|\btry:|\bcommit\b|\bexecute\()", path.read_text())


def test_only_services_commit():
    services = PROJECT / "app" / "services"
    assert [
        str(path) for path in sources("app") if "commit(" in path.read_text() and services not in path.parents
    ] == []


def test_the_environment_is_read_in_one_file():
    assert [str(path) for path in sources("app") if re.search(r"os\.environ|getenv", path.read_text())] == []


def test_tasks_are_doorways():
    assert len((PROJECT / "app" / "tasks.py").read_text().splitlines()) < 150


@pytest.mark.parametrize("path", [*sources("app"), *sources("tests")], ids=str)
def test_no_file_grows_past_a_screenful_of_screens(path):
    assert len(path.read_text().splitlines()) <= 350


def test_a_room_holds_at_most_26_files():
    rooms = collections.Counter(path.parent for path in sources("app") if path.name != "__init__.py")
    assert {str(room): files for room, files in rooms.items() if files > 26} == {}


def test_a_public_class_name_stands_once():
    names = collections.Counter(
        part.name
        for path in sources("app")
        for part in ast.parse(path.read_text()).body
        if isinstance(part, ast.ClassDef) and not part.name.startswith("_")
    )
    assert [name for name, places in names.items() if places > 1] == []


def test_no_statement_is_kept_from_the_formatter():
    assert [str(path) for path in [*sources("app"), *sources("tests")] if FORMATTER_OFF in path.read_text()] == []


@pytest.mark.parametrize("entry", ["wsgi", "celery_worker"])
def test_importing_works_while_every_server_is_away(entry, tmp_path):
    settings = AWAY | {"DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", f"import {entry}"], cwd=PROJECT, env=settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_nothing_else_lies_at_the_top():
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split()
    assert {path.split("/")[0] for path in listed if not path.startswith(".")} == TOP_LEVEL


def database_signs(source: str) -> list[str]:
    """Return what in this source belongs to `app/models/` alone: SQLAlchemy's statements, and running them."""
    signs = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                signs += [name.name for name in names if name.name.split(".")[0] in DATABASE_PACKAGES]
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in DATABASE_PACKAGES:
                signs += [f"{module}.{name.name}" for name in names if f"{module}.{name.name}" not in ERRORS_ONLY]
            case ast.ImportFrom(module="app.extensions", names=names):
                signs += [name.name for name in names if name.name in ("autocommit_engine", "Base")]
            case ast.Attribute(value=ast.Name("db"), attr=name) if name not in ("session", "engine", "init_app"):
                signs.append(f"db.{name}")
            case ast.Attribute(value=ast.Attribute(value=ast.Name("db"), attr="session"), attr=name):
                signs += [] if name in SESSION_HANDLING else [f"db.session.{name}"]
            case ast.Call(ast.Attribute(value=receiver, attr=name)) if name in RUNNING_A_STATEMENT:
                signs += [] if isinstance(receiver, ast.Name) and receiver.id in NO_CONNECTIONS else [f".{name}("]
    return signs


@pytest.mark.parametrize(
    "source",
    [
        "from sqlalchemy import text",
        "import sqlalchemy as sa",
        "import psycopg2",
        "from sqlalchemy.orm import Session",
        "from sqlalchemy.dialects.postgresql import insert",
        "from app.extensions import autocommit_engine",
        "db.select(App)",
        "db.session.scalars(statement)",
        "db.session.query(App)",
        "db.session().execute(statement)",
        "connection.execute(statement)",
        "with db.engine.begin() as connection:\n    connection.scalar(statement)",
    ],
)
def test_signs_of_statements_are_found(source):
    assert database_signs(source)


def test_statements_live_in_the_models_alone():
    apart = {MODELS, PROJECT / "app" / "embedded"}
    others = [path for path in sources("app") if not apart & {*path.parents} and path.name not in BINDING]
    assert len(others) > 200
    assert {str(path): signs for path in others if (signs := database_signs(path.read_text()))} == {}


def test_models_give_functions_never_statements():
    for path in sources("app/services"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.models"):
                module = importlib.import_module(str(node.module))
                for name in node.names:
                    assert not isinstance(getattr(module, name.name, None), sqlalchemy.ClauseElement), (path, name.name)


def test_models_end_no_transaction():
    endings = {"begin", "begin_nested", "commit", "rollback", "close"}
    for path in sources("app/models"):
        tree = ast.parse(path.read_text())
        assert [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in endings] == []
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "app.extensions":
                assert {name.name for name in node.names} <= {"Base", "autocommit_engine"}, path


def test_rows_are_built_by_column_name():
    for path in [*sources("app/models"), *sources("app/services")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id[0].isupper():
                assert not any(isinstance(given, ast.Starred) for given in node.args), f"{path}:{node.lineno}"


def test_the_clause_that_scopes_by_owner_is_typed_once():
    clause = re.compile(r"app_id\s*=\s*:app_id\s+AND\s+\S*end_user_id\s*=\s*:end_user_id")
    assert [path.name for path in sources("app") if clause.search(path.read_text())] == ["owners.py"]


def test_the_models_tell_of_every_table():
    told = (app.models.__doc__ or "").split()
    names = {name.rstrip(",") for name in told}
    assert set(Base.metadata.tables) <= names and len(Base.metadata.tables) > 15


def test_the_drawing_of_a_task_names_every_state_and_functions_that_are_there():
    drawing = (tasks.__doc__ or "").partition("who moves it:")[2]
    states = {name for name, value in vars(tasks).items() if re.fullmatch("[A-Z]+", name) and isinstance(value, str)}
    assert states == set(re.findall(r"\b[A-Z]{4,}\b", drawing)) and len(states) == 5
    functions = {name for module in TASK_MODULES for name in vars(module)}
    assert set(re.findall(r"\b[a-z]+_[a-z_]+\b", drawing)) <= functions


def _parameters_of_tests():
    """Yield each argument of pytest.mark.parametrize in the tests, with the place where it stands."""
    for path in sorted((PROJECT / "tests").rglob("test_*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.parametrize":
                yield f"{path.relative_to(PROJECT)}:{call.lineno}", call.args[1:]


def _calls_at_once(part):
    """Yield the calls that are made when the file is read: those of a lambda are made when its test runs."""
    if isinstance(part, ast.Lambda):
        return
    if isinstance(part, ast.Call):
        yield ast.unparse(part.func).rpartition(".")[2]
    for inner in ast.iter_child_nodes(part):
        yield from _calls_at_once(inner)


def test_parameters_of_tests_are_the_same_in_each_process():
    by_chance = {"uuid4", "uuid7", "token_hex", "urandom", "new_email", "time", "now"}
    strays = {
        place
        for place, arguments in _parameters_of_tests()
        for argument in arguments
        if by_chance & set(_calls_at_once(argument))
    }
    assert strays == set()

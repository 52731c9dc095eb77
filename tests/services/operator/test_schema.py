"""Whether the database's tables are those that the code needs."""

import pytest
from alembic.script import ScriptDirectory

from app.services.operator.schema import CodeSchema, SchemaState, read_code_schema, schema_state
from tests.support.paths import PROJECT

SCHEMA = CodeSchema(frozenset({"1", "2", "3"}), frozenset({"3"}))


def test_the_code_knows_its_migrations_without_their_library(app):
    scripts = ScriptDirectory(str(PROJECT / "migrations"))
    read = read_code_schema()
    assert read.newest == set(scripts.get_heads())
    assert read.known == {script.revision for script in scripts.walk_revisions()}


def test_migrated_tables_are_current(app):
    assert schema_state() is SchemaState.CURRENT


@pytest.mark.parametrize(
    ("revisions", "state"),
    [
        (["3"], SchemaState.CURRENT),
        (["2"], SchemaState.OLD),
        (["2", "3"], SchemaState.OLD),
        ([], SchemaState.MISSING),
        (["4"], SchemaState.NEWER),
        (["3", "4"], SchemaState.NEWER),
    ],
)
def test_tables_are_compared_with_the_code(revisions, state):
    assert SCHEMA.compare(revisions) is state


def test_a_migration_that_joins_two_is_newer_than_both(tmp_path):
    for name, before in (("a", "None"), ("b", '"a"'), ("c", '"a"'), ("d", '("b", "c")')):
        (tmp_path / f"{name}.py").write_text(f'revision = "{name}"\ndown_revision = {before}\n')
    assert read_code_schema(tmp_path) == CodeSchema(frozenset("abcd"), frozenset("d"))

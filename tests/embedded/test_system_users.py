"""The system user that runs PostgreSQL when we are root."""

import os
import pathlib
import stat
import sys

import psycopg2
import pytest

from app.embedded import system_users
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import CannotStart

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root has to become somebody else")
OTHERS_MAY_PASS = all(parent.stat().st_mode & stat.S_IXOTH for parent in pathlib.Path(sys.prefix).resolve().parents)


def answers(server):
    with server, psycopg2.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def test_root_runs_it_as_another_user(tmp_path):
    assert answers(EmbeddedPostgres(tmp_path / "data", durable=False))


@pytest.mark.skipif(not OTHERS_MAY_PASS, reason="this checkout lies where nobody else can reach it")
def test_without_namespaces_it_runs_as_the_user_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(system_users, "_namespaces_allowed", lambda: False)
    assert answers(EmbeddedPostgres(tmp_path / "data", durable=False))


def test_a_program_out_of_reach_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(system_users, "_namespaces_allowed", lambda: False)
    program = tmp_path / "postgres"
    program.touch(mode=0o700)
    with pytest.raises(CannotStart, match="other users cannot reach"):
        system_users.system_user_for(tmp_path, str(program))

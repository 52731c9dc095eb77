"""Report the failures of commands in one line on stderr."""

import contextlib
from collections.abc import Iterator
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.extensions import lacks_tables
from app.providers.operator_files import InvalidOperatorFile
from app.services.auth.accounts import AccountRefused
from app.services.operator.app_files import InvalidAppFile
from app.services.operator.apps import AppRefused
from app.services.operator.datasets import DatasetRefused
from app.services.reports.report_filters import ReportRefused
from app.workflow.failures import NodeFailed

DATABASE_UNREACHABLE = (
    "The database cannot be reached: start it with `make run`, or set DATABASE_URL to one that is running."
)
DATABASE_BEHIND = "The database lacks tables: run `.venv/bin/flask --app wsgi db upgrade` first."
KNOWN = (AppRefused, AccountRefused, DatasetRefused, InvalidAppFile, InvalidOperatorFile, ReportRefused)


class OperatorGroup(AppGroup):
    """A group of commands whose known failures print one line and end with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Raises click.ClickException for the failures that an operator can do something about."""
        with told_in_one_line():
            return super().invoke(ctx)


class OperatorCommand(click.Command):
    """A command by itself, which fails as those of an OperatorGroup do."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises click.ClickException for the failures that an operator can do something about."""
        with told_in_one_line():
            return super().invoke(ctx)


@contextlib.contextmanager
def told_in_one_line() -> Iterator[None]:
    """Turn the failures that an operator can do something about into click.ClickException."""
    try:
        yield
    except KNOWN as error:
        raise click.ClickException(str(error)) from None
    except NodeFailed as failure:
        raise click.ClickException(failure.message) from None
    except OperationalError:
        raise click.ClickException(DATABASE_UNREACHABLE) from None
    except ProgrammingError as error:
        if not lacks_tables(error):
            raise
        raise click.ClickException(DATABASE_BEHIND) from None

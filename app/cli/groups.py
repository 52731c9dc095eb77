"""How commands fail: with one line on stderr."""

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.providers.operator_files import InvalidOperatorFile
from app.services.auth.accounts import AccountRefused
from app.services.operator.app_files import InvalidAppFile
from app.services.operator.apps import AppRefused
from app.services.operator.datasets import DatasetRefused
from app.workflow.failures import NodeFailed

DATABASE_AWAY = "The database cannot be reached: start it with `make run`, or set DATABASE_URL to one that is running."
DATABASE_BEHIND = "The database lacks tables: run `flask --app wsgi db upgrade` first."
KNOWN = (AppRefused, AccountRefused, DatasetRefused, InvalidAppFile, InvalidOperatorFile)
_UNDEFINED = ("42P01", "42703")


class OperatorGroup(AppGroup):
    """Commands whose known failures are one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KNOWN as error:
            raise click.ClickException(str(error)) from None
        except NodeFailed as failure:
            raise click.ClickException(failure.message) from None
        except OperationalError:
            raise click.ClickException(DATABASE_AWAY) from None
        except ProgrammingError as error:
            if getattr(error.orig, "pgcode", None) not in _UNDEFINED:
                raise
            raise click.ClickException(DATABASE_BEHIND) from None

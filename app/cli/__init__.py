"""The operator's commands: `flask --app wsgi accounts …`, `apps …`, `datasets …`, `models …`, `runs …`, `tools …`."""

from flask import Flask
from flask_migrate import Migrate

from app.cli.access import apps_group
from app.cli.accounts import accounts_group
from app.cli.datasets import datasets_group
from app.cli.models import models_group
from app.cli.runs import runs_group
from app.cli.tools import tools_group
from app.extensions import db
from app.models.embeddings import is_migrated


def register(app: Flask) -> None:
    """Add the commands to an app's `flask`, those of the migrations too."""
    Migrate(app, db, include_object=is_migrated)
    app.cli.add_command(accounts_group)
    app.cli.add_command(apps_group)
    app.cli.add_command(datasets_group)
    app.cli.add_command(models_group)
    app.cli.add_command(runs_group)
    app.cli.add_command(tools_group)

"""The operator's commands, behind `flask --app wsgi`: a group for each subject, `chat`, `usage` and `forget`."""

from flask import Flask
from flask_migrate import Migrate

from app.cli.access import apps_group
from app.cli.accounts import accounts_group
from app.cli.conversations import conversations_group
from app.cli.datasets import datasets_group
from app.cli.feedback import feedback_group
from app.cli.forget import forget
from app.cli.models import models_group
from app.cli.runs import runs_group
from app.cli.talk.command import chat
from app.cli.tools import tools_group
from app.cli.usage import show_usage
from app.extensions import db
from app.models.embeddings import is_migrated


def register(app: Flask) -> None:
    """Add our commands, and those of the migrations, to the `flask` command of an app."""
    Migrate(app, db, include_object=is_migrated)
    app.cli.add_command(accounts_group)
    app.cli.add_command(apps_group)
    app.cli.add_command(chat)
    app.cli.add_command(conversations_group)
    app.cli.add_command(datasets_group)
    app.cli.add_command(feedback_group)
    app.cli.add_command(models_group)
    app.cli.add_command(runs_group)
    app.cli.add_command(tools_group)
    app.cli.add_command(show_usage)
    app.cli.add_command(forget)

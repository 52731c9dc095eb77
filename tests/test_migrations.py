"""The tables as the migrations make them are the tables as the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import current_app

from app.extensions import db
from tests.support.datasets import embedded


def test_models_and_migrations_agree(app, model):
    embedded("A dataset's own table belongs to no migration.")
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=current_app.extensions["migrate"].configure_args)
        assert compare_metadata(context, db.metadata) == []

"""Alembic's environment: one database, the app's own engine and tables."""

from alembic import context
from flask import current_app

database = current_app.extensions["migrate"].db


def skip_empty_revision(_context, _revision, directives):
    """Make no file where the tables have not changed."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def run_offline():
    context.configure(url=str(database.engine.url), target_metadata=database.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online():
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            process_revision_directives=skip_empty_revision,
            **{
                name: value
                for name, value in current_app.extensions["migrate"].configure_args.items()
                if name != "process_revision_directives"
            },
        )
        with context.begin_transaction():
            # Two processes that start at once must not migrate at once.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(823764)")
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()

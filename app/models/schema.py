"""Which version of the tables the database has, and which version the server is."""

from sqlalchemy import text

from app.models.execution import fetch_value, fetch_values

# Asked first: a statement that names a missing table is an error in the server's log, and probes come often.
_HAS_REVISIONS = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_REVISIONS = text("SELECT version_num FROM alembic_version")
_SERVER_VERSION = text("SHOW server_version")


def list_schema_revisions() -> list[str]:
    """Return the revisions that the tables stand at: one, or none where nobody has made the tables."""
    return fetch_values(_REVISIONS, {}) if fetch_value(_HAS_REVISIONS, {}) else []


def find_server_version() -> str:
    """Return PostgreSQL's own version, such as `18.1`."""
    return str(fetch_value(_SERVER_VERSION, {})).partition(" ")[0]

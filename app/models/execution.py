"""Run one statement and return what it gave: one row, all rows, one value, all values, or how many rows it changed.

Rows come as the type that the caller names, filled by column name: a statement that gives a column too many or too few
raises TypeError. Without `connection` a statement runs on the autocommit engine: one round trip, in a transaction of
its own. With `connection` it is part of the caller's transaction.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from app.extensions import autocommit_engine

RowType = TypeVar("RowType")
Answer = TypeVar("Answer")
Values = Mapping[str, Any]

_PING = text("SELECT 1")


def json_text(sql: str, *names: str) -> TextClause:
    """Return a statement whose parameters of these names are sent as JSON; None is sent as NULL."""
    return text(sql).bindparams(*(bindparam(name, type_=JSONB(none_as_null=True)) for name in names))


def fetch_one(
    statement: Executable, values: Values, row_type: Callable[..., RowType], connection: Connection | None = None
) -> RowType | None:
    """Return the row of a statement that gives at most one, as `row_type`; None where it gives none."""

    def read(result: CursorResult[Any]) -> RowType | None:
        row = result.one_or_none()
        return None if row is None else row_type(**dict(zip(result.keys(), row, strict=True)))

    return _run(statement, values, connection, read)


def fetch_existing(
    statement: Executable, values: Values, row_type: Callable[..., RowType], connection: Connection | None = None
) -> RowType:
    """Return the row of a statement that gives exactly one, as `row_type`. Raises sqlalchemy.exc.NoResultFound."""

    def read(result: CursorResult[Any]) -> RowType:
        return row_type(**dict(zip(result.keys(), result.one(), strict=True)))

    return _run(statement, values, connection, read)


def fetch_all(
    statement: Executable, values: Values, row_type: Callable[..., RowType], connection: Connection | None = None
) -> list[RowType]:
    """Return all rows, each as `row_type`."""

    def read(result: CursorResult[Any]) -> list[RowType]:
        names = tuple(result.keys())
        return [row_type(**dict(zip(names, row, strict=True))) for row in result]

    return _run(statement, values, connection, read)


def fetch_value(statement: Executable, values: Values, connection: Connection | None = None) -> Any:
    """Return the first column of a statement that gives at most one row; None where it gives none."""
    return _run(statement, values, connection, CursorResult.scalar_one_or_none)


def fetch_values(statement: Executable, values: Values, connection: Connection | None = None) -> list[Any]:
    """Return the first column of all rows."""
    return _run(statement, values, connection, lambda result: list(result.scalars()))


def execute(statement: Executable, values: Values, connection: Connection | None = None) -> int:
    """Run a statement that gives no rows; return how many it inserted, updated or deleted."""
    return _run(statement, values, connection, lambda result: result.rowcount)


def ping() -> None:
    """Ask the database for nothing. Raises sqlalchemy.exc.SQLAlchemyError where it does not answer."""
    fetch_value(_PING, {})


def _run(
    statement: Executable,
    values: Values,
    connection: Connection | None,
    read: Callable[[CursorResult[Any]], Answer],
) -> Answer:
    """Run a statement and read its result while the connection is held."""
    if connection is not None:
        return read(connection.execute(statement, values))
    with autocommit_engine().connect() as own:
        return read(own.execute(statement, values))

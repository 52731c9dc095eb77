"""Forms that nobody answered in time (contract human-input.md §7)."""

import datetime

from app.extensions import autocommit_engine
from app.models.form_statements import EXPIRE
from app.services.generation.run_forms import oldest

MOST = 100


def expire(moment: datetime.datetime, most: int = MOST) -> list[str]:
    """Close the forms that ran out by `moment`, the oldest first; gives the tasks that go on, to be enqueued.

    Forms past the node's timeout take its branch; those that are older than any may be end their runs.
    """
    with autocommit_engine().connect() as connection:
        rows = connection.execute(EXPIRE, {"now": moment, "oldest": oldest(moment), "most": most}).all()
    return sorted({row.task_id for row in rows if row.task_id is not None})

"""Forms that nobody answered in time (contract human-input.md §7)."""

import datetime

from app.models.forms import expire_forms
from app.services.generation.run_forms import oldest

MOST = 100


def expire(moment: datetime.datetime, most: int = MOST) -> list[str]:
    """Close the forms that ran out by `moment`, the oldest first; gives the tasks that go on, to be enqueued.

    Forms past the node's timeout take its branch; those that are older than any may be end their runs.
    """
    decided = expire_forms(moment, oldest(moment), most)
    return sorted({form.task_id for form in decided if form.task_id is not None})

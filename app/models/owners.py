"""The owner of rows, and the condition that scopes a statement to one."""

import uuid
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Owner:
    """One end user of one app: whose rows a statement may see."""

    app_id: uuid.UUID
    end_user_id: uuid.UUID

    def values(self) -> dict[str, Any]:
        """Return what a statement with `owned` in it has to be given."""
        return {"app_id": self.app_id, "end_user_id": self.end_user_id}


def owned(table: str) -> str:
    """Return the condition that only rows of `table` with this owner fulfil; `Owner.values` gives its values."""
    return f"{table}.app_id = :app_id AND {table}.end_user_id = :end_user_id"

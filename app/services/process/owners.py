"""The owner of rows: every query is scoped by app and end user."""

import uuid
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Owner:
    """Whose rows: one end user of one app."""

    app_id: uuid.UUID
    end_user_id: uuid.UUID

    def values(self) -> dict[str, Any]:
        return {"app_id": self.app_id, "end_user_id": self.end_user_id}

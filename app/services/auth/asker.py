"""Who asks for something that is counted."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Asker:
    """An end user of an app, with the account that is logged in and the address that the request came from."""

    app_id: uuid.UUID
    end_user_id: uuid.UUID
    account_id: str | None
    address: str

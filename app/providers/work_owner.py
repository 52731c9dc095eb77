"""Tell whose work something is, so that places at work can be shared fairly."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkOwner:
    """For whom work is done: an app and one of its end users, by their ids. Both empty: for Frontdesk itself."""

    app: str = ""
    end_user: str = ""


FRONTDESK = WorkOwner()

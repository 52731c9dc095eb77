"""Put the Swagger document into the order in which somebody tries it out, with the first steps on top."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, has_app_context

# What a first session calls, in turn. The rest follows by its path.
FIRST = (
    "/passport",
    "/site",
    "/parameters",
    "/chat-messages",
    "/completion-messages",
    "/workflows/run",
    "/workflow/{task_id}/events",
    "/conversations",
    "/messages",
)
MOST_CODES = 20
_STEPS = """{about}

**Try it:**

1. Open `GET /passport`, *Try it out*, and fill in an app's code as `X-App-Code`{codes}.
2. Copy `access_token` from the answer, press *Authorize*, and paste it under *Passport*.
3. Open `POST /chat-messages` (`/completion-messages` and `/workflows/run` for such apps), *Try it out*, *Execute*.

This page shows a streamed answer when it is whole. To see the pieces come, run the `curl` command that the page shows
with `-N`. Generators of clients read [`/api/openapi.json`](/api/openapi.json), OpenAPI 3.1.
"""


def in_reading_order(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with a first session's operations before the others, and a description of its steps."""
    paths = document["paths"]
    ordered = [path for path in FIRST if path in paths] + [path for path in paths if path not in FIRST]
    about = _STEPS.format(about=document["info"]["description"], codes=_codes())
    return {
        **document,
        "info": {**document["info"], "description": about},
        "paths": {path: paths[path] for path in ordered},
    }


def _codes() -> str:
    """Return the codes of the apps as a part of a sentence; nothing in production, or where others can call."""
    if not has_app_context():
        return ""
    settings = current_app.config
    if settings["DEPLOY_ENV"] != "DEVELOPMENT" or settings["OPEN_TO_OTHERS"]:
        return ""
    # Imported here: it brings the workflow engine, of which web processes need nothing.
    from app.services.operator import apps

    codes = [app.code for app in apps.list_apps() if app.enabled][:MOST_CODES]
    return f": {', '.join(f'`{code}`' for code in codes)}" if codes else ""

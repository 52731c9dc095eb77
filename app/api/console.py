"""The two addresses of the console's API that the stock front-end asks before any other (contract client.md §3).

They are outside /api and outside the OpenAPI document: its pages show a spinner for ever where one of them is missing.
"""

from flask import Flask, Response, current_app

from app.api.bodies import reply
from app.api.schemas.app_info import SystemFeatureModel
from app.services.visitor import app_info


def init_app(app: Flask) -> None:
    """Mount the addresses."""
    app.add_url_rule("/console/api/system-features", "console_system_features", _system_features)
    app.add_url_rule("/console/api/setup", "console_setup", _setup)


def _system_features() -> Response:
    return reply(SystemFeatureModel.model_validate(app_info.system_features(current_app.config)))


def _setup() -> dict[str, str | None]:
    return {"step": "finished", "setup_at": None}

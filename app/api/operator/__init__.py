"""The operators' API at /operator/api: what the pages show and the commands print, as JSON, for whoever has a token.

It is outside the Web API and its document; `app/docs/operator.md` lists its routes.
"""

from flask import Flask


def init_app(app: Flask) -> None:
    """Mount the API, if OPERATOR_TOKEN lets anybody call it."""
    if app.config["OPERATOR_TOKEN"]:
        # Imported where it is wanted: what it reads graphs and app files with takes six megabytes in each web worker.
        from app.api.operator import blueprint

        blueprint.mount(app)

"""The operators' pages at /operator: what people did, what runs went through, what it cost. For whoever has a token.

They are rendered by the server and work without scripts.
"""

from flask import Flask


def init_app(app: Flask) -> None:
    """Mount the pages, if OPERATOR_TOKEN lets anybody see them."""
    if app.config["OPERATOR_TOKEN"]:
        # Imported where it is wanted, as the operators' API is.
        from app.pages.operator import blueprint

        blueprint.mount(app)

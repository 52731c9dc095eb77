"""Serve the visitors' pages at the addresses of Dify's front-end (app/docs/pages.md). `PAGES=off` leaves them out.

`static/` holds the pages' modules and styles, which speak to this server by the public API alone.
"""

from flask import Flask

from app.pages.visitor import index_page, routes


def init_app(app: Flask) -> None:
    """Mount pages, assets and the index."""
    if app.config["PAGES"] == "off":
        return
    index_page.init_app(app, routes.init_app(app))

"""`/`: the apps of this installation where PAGES_INDEX=on, else a page with nothing to see."""

from flask import Flask, Response, current_app

from app.pages.visitor.page_headers import page_headers
from app.pages.visitor.page_texts import INDEX_STYLES, PageTexts
from app.services.visitor.app_list import list_open_apps, page_path


def init_app(app: Flask, texts: PageTexts) -> None:
    """Mount the page."""
    headers = page_headers(app.config, framable=False)

    def view() -> Response:
        shown = current_app.config["PAGES_INDEX"] == "on"
        apps = [
            {"app": app, "address": page_path(app.mode, app.code)}
            for app in (list_open_apps(current_app.config) if shown else [])
        ]
        html = texts.of_template("index.html", INDEX_STYLES, shown=shown, apps=apps)
        return Response(html, status=200 if shown else 404, headers=headers, content_type="text/html; charset=utf-8")

    app.add_url_rule("/", "page index", view)

"""The addresses of the visitors' pages, and of the files that they load.

A page is the same for every app and visitor: its modules read the app's code from the address and ask the API. So it
needs no query, shows something at once, and costs a browser that has it nothing but a question.
"""

import hashlib
import pathlib
from collections.abc import Callable

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from app.pages.visitor import libraries
from app.pages.visitor.assets import MEDIA_TYPES, Asset, AssetTree
from app.pages.visitor.page_headers import page_headers
from app.pages.visitor.page_texts import KINDS, PageTexts, read_assets

STATIC = pathlib.Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
# Modules for pages of others, whose address stays the same: they import the current state's.
OPEN_MODULES = {"/frontdesk.js": "client/frontdesk.js"}
# Scripts for pages of others.
OPEN_SCRIPTS = {"/embed.min.js": "embed/embed.js"}
View = Callable[..., Response]


def init_app(app: Flask) -> PageTexts:
    """Read the assets, make the pages, mount both; returns what makes more pages."""
    tree = read_assets(STATIC, libraries.installed_state())
    texts = PageTexts(tree)
    for rule, kind in KINDS.items():
        headers = page_headers(app.config, kind.framable)
        app.add_url_rule(rule, f"page {rule}", _view(texts.of_kind(kind).encode(), "text/html; charset=utf-8", headers))
    script = "text/javascript; charset=utf-8"
    for path, module in OPEN_MODULES.items():
        body = f'export * from ".{tree.address(module)}";\n'.encode()
        app.add_url_rule(path, f"page {path}", _view(body, script, _open_headers()))
    for path, name in OPEN_SCRIPTS.items():
        app.add_url_rule(path, f"page {path}", _view(tree.bare_script(name), script, _open_headers()))
    app.add_url_rule("/pages/<version>/<path:name>", "page_asset", _asset_view(tree))
    app.add_url_rule("/pages/<version>/libraries/<name>", "page_library", _library_view(tree))
    return texts


def _open_headers() -> dict[str, str]:
    """Return the headers of a file that pages of any origin load."""
    return {
        "Cache-Control": "no-cache",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _view(body: bytes, media_type: str, headers: dict[str, str]) -> View:
    """Return the view of something that changes with this server's version alone."""
    asset = Asset.packed(body, media_type)
    tag = hashlib.sha256(body).hexdigest()[:24]

    def view(**_: str) -> Response:
        response = _respond(asset)
        response.headers.update(headers)
        response.set_etag(tag, weak=True)
        response.make_conditional(request)
        return response

    return view


def _asset_view(tree: AssetTree) -> View:
    def view(version: str, name: str) -> Response:
        asset = tree.find(name)
        if asset is None:
            raise NotFound
        return _respond_for_ever(asset, version == tree.version)

    return view


def _library_view(tree: AssetTree) -> View:
    def view(version: str, name: str) -> Response:
        current = version == tree.version
        if name == libraries.FRAME:
            response = _respond_for_ever(Asset(libraries.FRAME_HTML, None, "text/html; charset=utf-8"), current)
            response.headers["Content-Security-Policy"] = libraries.FRAME_POLICY
            return response
        if name not in libraries.LIBRARIES:
            raise NotFound
        return _respond_for_ever(Asset(libraries.packed_library(name), "gzip", MEDIA_TYPES[".js"]), current)

    return view


def _respond_for_ever(asset: Asset, current: bool) -> Response:
    """Respond with a file whose address holds the version; `current`: it is this server's."""
    response = _respond(asset)
    # While servers of two versions run side by side, a page of one may ask the other: what it gets works, but is not
    # what this address will name.
    response.headers["Cache-Control"] = FOR_EVER if current else "no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _respond(asset: Asset) -> Response:
    packed = asset.encoding is not None and request.accept_encodings["gzip"] > 0
    response = Response(asset.body if packed else asset.plain(), content_type=asset.media_type)
    if asset.encoding is not None:
        response.vary.add("Accept-Encoding")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response

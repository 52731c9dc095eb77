"""Guard the operators' pages: a session's cookie for each, and for each form the page that it came from."""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Forbidden
from app.services.auth import operator_access
from app.services.auth.households import household
from app.services.auth.operator_access import OperatorSession

COOKIE = "frontdesk_operator"
# Of the form that asks for a token. A cookie of its own: whoever follows a link from elsewhere sends no strict cookie,
# and must not lose the session that there may be.
FORM_COOKIE = "frontdesk_operator_form"
PATH = "/operator"
View = Callable[..., AnyResponse]


def read_session() -> None:
    """Put the request's session into `g.operator_session`; None where there is none."""
    g.operator_session = None
    for name in (COOKIE, FORM_COOKIE):
        cookie = request.cookies.get(name, "")
        found = operator_access.session_of(cookie) if cookie else None
        if found is not None and found.signed_in == (name == COOKIE):
            g.operator_session = found
            return


def session() -> OperatorSession | None:
    """Return the request's session."""
    found: OperatorSession | None = g.operator_session
    return found


def operators_only(view: View) -> View:
    """Let a view be for those who have signed in; others are sent to the form."""

    @functools.wraps(view)
    def guarded(*args: Any, **values: Any) -> AnyResponse:
        known = session()
        if known is None or not known.signed_in:
            wanted = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("operator.sign_in", then=wanted))
        return view(*args, **values)

    return guarded


def check_form() -> None:
    """Raise Forbidden for a form that did not come from a page of this session."""
    known = session()
    if not _is_own_origin() or known is None:
        raise Forbidden("This form did not come from this server's pages, or its session has ended. Open it again.")
    if not operator_access.is_form_token(known, request.form.get("form_token", "")):
        raise Forbidden("This form belongs to another session. Open it again.")


def set_cookie(response: AnyResponse, known: OperatorSession) -> None:
    """Give the browser the session's cookie."""
    response.set_cookie(
        COOKIE if known.signed_in else FORM_COOKIE,
        operator_access.cookie_of(known),
        max_age=known.seconds_left,
        path=PATH,
        httponly=True,
        samesite="Strict",
        secure=_is_encrypted(),
    )


def forget_cookie(response: AnyResponse) -> None:
    """Take the session's cookie from the browser."""
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="Strict", secure=_is_encrypted())


def client_address() -> str:
    """Return the address by which the client counts."""
    return household(request.remote_addr or "")


def add_headers(response: Response) -> Response:
    """Keep pages out of caches, unless they say otherwise."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _is_own_origin() -> bool:
    """Whether the browser says that the form came from this server. One that says nothing is not believed."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    # Behind a proxy that ends TLS, the request's own scheme is http.
    hosts = {request.host, urlsplit(current_app.config["PUBLIC_URL"]).netloc}
    address = urlsplit(origin)
    return address.scheme in ("http", "https") and address.netloc in hosts


def _is_encrypted() -> bool:
    """Whether the browser speaks TLS, with us or with a proxy: it says so with the form's origin."""
    return request.is_secure or request.headers.get("Origin", "").startswith("https://")

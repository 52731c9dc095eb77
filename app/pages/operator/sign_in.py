"""/operator/sign-in and /operator/sign-out: a token begins a session, and the session ends."""

import re

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.errors import TooManyRequests, Unauthorized
from app.pages.operator import guard
from app.pages.operator.rendering import page
from app.services.auth import operator_access

_OWN_PATH = re.compile(r"/operator(/[\w./~%-]*)?(\?[\w.~%=&+:@,-]*)?")
LOCKED = "Too many wrong tokens came from your address. Try again in 15 minutes."


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/sign-in", "sign_in", _form)
    blueprint.add_url_rule("/sign-in", "begin_session", _sign_in, methods=["POST"])
    blueprint.add_url_rule("/sign-out", "sign_out", guard.operators_only(_sign_out), methods=["POST"])


def _form() -> AnyResponse:
    known = guard.session()
    if known is not None and known.signed_in:
        return redirect(_target(request.args.get("then", "")))
    return _page_with_form(request.args.get("then", ""))


def _page_with_form(then: str, problem: str = "", status: int = 200) -> AnyResponse:
    """Return the form; its session, which nobody has signed in, makes sure that only our page can send it."""
    if guard.session() is None:
        g.operator_session = operator_access.new_session()
    response = page("sign_in.html", status, then=then, problem=problem)
    guard.set_cookie(response, g.operator_session)
    return response


def _sign_in() -> AnyResponse:
    guard.check_form()
    then = request.form.get("then", "")
    try:
        known = operator_access.sign_in(request.form.get("token", "").strip(), guard.client_address())
    except Unauthorized as refused:
        return _page_with_form(then, refused.message, 401)
    except TooManyRequests:
        return _page_with_form(then, LOCKED, 429)
    response = redirect(_target(then), 303)
    guard.set_cookie(response, known)
    return response


def _sign_out() -> AnyResponse:
    guard.check_form()
    operator_access.sign_out(g.operator_session)
    response = redirect(url_for("operator.sign_in"), 303)
    guard.forget_cookie(response)
    return response


def _target(then: str) -> str:
    """Return where somebody wanted to go, if it is a page of ours."""
    return then if _OWN_PATH.fullmatch(then) else url_for("operator.today")

"""/operator/apps: what is published, what each app needs, and its switches."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.errors import BadRequest
from app.pages.operator import filters, guard
from app.pages.operator.guard import operators_only
from app.pages.operator.rendering import page
from app.services.auth import access
from app.services.auth.access import AccessMode
from app.services.operator import app_needs, apps, members

_SWITCHES = {"enable": True, "disable": False}
ACCESS_MODES = {
    AccessMode.PUBLIC: "Everybody",
    AccessMode.PRIVATE: "Members",
    AccessMode.PRIVATE_ALL: "All accounts",
    AccessMode.SSO_VERIFIED: "Users of the identity provider",
}


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/apps", "apps", operators_only(_list))
    blueprint.add_url_rule("/apps/<string:code>", "app", operators_only(_show))
    blueprint.add_url_rule("/apps/<string:code>", "change_app", operators_only(_change), methods=["POST"])


def _list() -> AnyResponse:
    return page("apps.html", apps=apps.list_apps())


def _show(code: str) -> AnyResponse:
    return _page(code, ())


def _page(code: str, warnings: tuple[str, ...]) -> AnyResponse:
    details = apps.show(code)
    is_checked = filters.choice("check", ("on", "off"), "off") == "on"
    return page(
        "app.html",
        app=details.summary,
        needs=app_needs.needs_of(details),
        missing=app_needs.missing_of(code) if is_checked else None,
        members=members.of_app(code),
        access_modes=ACCESS_MODES,
        logins_are_on=access.authentication_is_on(),
        warnings=warnings,
    )


def _change(code: str) -> AnyResponse:
    guard.check_form()
    switch, mode = request.form.get("switch", ""), request.form.get("access", "")
    if switch in _SWITCHES:
        change = apps.set_enabled(code, _SWITCHES[switch])
    elif mode in list(AccessMode):
        change = members.set_mode(code, AccessMode(mode))
    else:
        raise BadRequest("The form names no switch of an app.")
    return _page(code, change.warnings) if change.warnings else redirect(url_for("operator.app", code=code), 303)

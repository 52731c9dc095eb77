"""Apps, what each needs, and its switches."""

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict

from app.api.bodies import parse_body, parse_query
from app.api.operator.answers import OperatorQuery, answer
from app.services.auth.access import AccessMode
from app.services.operator import app_needs, apps, members


class AppQuery(OperatorQuery):
    """One app. `missing`: with what it needs and cannot use here; the servers of its tools are asked then."""

    missing: bool = False


class AppSwitches(BaseModel):
    """The switches of an app; those that are left out stay."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None
    access_mode: AccessMode | None = None


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/apps", "apps", _list)
    blueprint.add_url_rule("/apps/<string:code>", "app", _show)
    blueprint.add_url_rule("/apps/<string:code>", "change_app", _change, methods=["PATCH"])


def _list() -> Response:
    parse_query(OperatorQuery)
    return answer({"data": apps.list_apps()})


def _show(code: str) -> Response:
    query, details = parse_query(AppQuery), apps.show(code)
    found = {"app": details.summary, "needs": app_needs.needs_of(details), "members": members.of_app(code)}
    return answer(found | ({"missing": app_needs.missing_of(code)} if query.missing else {}))


def _change(code: str) -> Response:
    switches, warnings = parse_body(AppSwitches), set[str]()
    if switches.enabled is not None:
        warnings |= {*apps.set_enabled(code, switches.enabled).warnings}
    if switches.access_mode is not None:
        warnings |= {*members.set_mode(code, switches.access_mode).warnings}
    return answer({"app": apps.show(code).summary, "warnings": sorted(warnings)})

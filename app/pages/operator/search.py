"""/operator/search: one field for apps, people, accounts, conversations, and ids of all kinds."""

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from app.pages.operator import filters
from app.pages.operator.guard import operators_only
from app.pages.operator.rendering import page
from app.services.reports import searches


def add_routes(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/search", "search", operators_only(_search))


def _search() -> AnyResponse:
    words = filters.text_of("q", filters.LONGEST_WORDS)
    found = searches.search(words) if words else None
    return page("search.html", words=words or "", found=found, days=searches.TEXT_DAYS)

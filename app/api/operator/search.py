"""One search for apps, people, accounts, conversations, and ids of all kinds."""

from flask import Blueprint, Response

from app.api.bodies import parse_query
from app.api.operator.answers import Named, OperatorQuery, answer
from app.services.reports import searches


class SearchQuery(OperatorQuery):
    """What is searched for."""

    q: Named


def add_routes(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/search", "search", _search)


def _search() -> Response:
    return answer(searches.search(parse_query(SearchQuery).q))

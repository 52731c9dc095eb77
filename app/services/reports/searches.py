"""Search everything by one text: apps, people, accounts, conversations, and whatever has an id."""

import datetime
from dataclasses import dataclass

from app.models.apps import AppSummary
from app.models.identifiers import now
from app.models.reports.conversation_reports import ConversationReport, list_conversation_reports
from app.models.reports.found_people import FoundAccount, FoundPerson, list_accounts_with, list_people
from app.models.reports.people import FoundThing
from app.models.reports.scopes import ReportScope
from app.services.operator import apps
from app.services.reports import usage_reports
from app.services.reports.report_filters import ReportRefused, bounded, id_or_none

MOST_OF_A_KIND = 20
# Texts are read one by one, so that only those of the last days are looked at, and not for long.
TEXT_DAYS = 7
TEXT_SECONDS = 5.0


@dataclass(frozen=True)
class SearchResults:
    """What was found, at most MOST_OF_A_KIND of each kind.

    `things`: what has the text as its id. `people`: end users with this session id. `accounts`: those whose address has
    the text in it, or whose id it is. `conversations`: those of the last TEXT_DAYS that have it in their name, a
    question or an answer; None where reading them takes longer than TEXT_SECONDS.
    """

    things: list[FoundThing]
    apps: list[AppSummary]
    people: list[FoundPerson]
    accounts: list[FoundAccount]
    conversations: list[ConversationReport] | None


def search(words: str) -> SearchResults:
    """Return what a text finds. Raises ReportRefused where the database takes too long."""
    wanted, wanted_id = words.casefold(), id_or_none(words)
    named = [
        app
        for app in apps.list_apps()
        if wanted in app.name.casefold() or wanted in app.code.casefold() or wanted_id == app.id
    ]
    with bounded(TEXT_SECONDS) as connection:
        people = list_people(connection, words, MOST_OF_A_KIND)
        accounts = list_accounts_with(connection, words.lower(), wanted_id, MOST_OF_A_KIND)
    return SearchResults(
        things=usage_reports.things_of_id(words),
        apps=named[:MOST_OF_A_KIND],
        people=people,
        accounts=accounts,
        conversations=_conversations(words),
    )


def _conversations(words: str) -> list[ConversationReport] | None:
    scope = ReportScope(words=words, since=now() - datetime.timedelta(days=TEXT_DAYS))
    try:
        with bounded(TEXT_SECONDS) as connection:
            return list_conversation_reports(connection, scope, None, MOST_OF_A_KIND)
    except ReportRefused:
        return None

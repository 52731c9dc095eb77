"""The words that full text finds."""

import pytest
from sqlalchemy import text

from app.extensions import db
from app.services.knowledge.search_terms import MOST_QUERY_WORDS, count, index_text, query_words


def found(app, document, query):
    """Whether PostgreSQL finds a document by any word of a query."""
    statement = text("SELECT CAST(:document AS tsvector) @@ CAST(:query AS tsquery)")
    with db.engine.connect() as connection:
        return connection.execute(
            statement, {"document": index_text(document), "query": " | ".join(query_words(query))}
        ).scalar_one()


@pytest.mark.parametrize(
    ("document", "query"),
    [
        ("Employees get 25 days.", "EMPLOYEES"),
        ("Vacations are approved by managers", "vacation manager"),
        ("the policies", "policy"),
        ("Das Café schließt", "cafe schliesst"),
        ("员工每年有二十五天年假", "年假"),
        ("员工每年有二十五天年假", "假"),
        ("有給休暇は年間25日です", "休暇"),
        ("휴가는 매년 25일입니다", "휴가"),
        ("พนักงานมีวันหยุดพักร้อน", "วันหยุด"),
        ("कर्मचारियों को छुट्टी मिलती है", "छुट्टी"),
        ("إجازة سنوية", "إجازة"),
        ("It's O'Neill's \\ back\\slash: 'quoted'", "o'neill slash quoted"),
        ("ＦＵＬＬ width", "full"),
    ],
)
def test_words_are_found_in_any_language(app, document, query):
    assert found(app, document, query)


@pytest.mark.parametrize(("document", "query"), [("a caterpillar", "cat"), ("员工年假", "加班"), ("bus", "bu")])
def test_other_words_are_not(app, document, query):
    assert not found(app, document, query)


def test_a_text_of_any_length_can_be_indexed(app):
    assert found(app, "again " * 20_000 + "x" * 5_000 + " last", "last")


def test_a_query_is_cut(app):
    assert len(query_words(" ".join(f"w{number}" for number in range(500)))) == MOST_QUERY_WORDS


@pytest.mark.parametrize("query", ["", "?!", "   ", "' | & ! : *"])
def test_a_query_without_words_has_none(query):
    assert query_words(query) == []


def test_words_are_counted_where_there_are_no_blanks():
    assert count("hello world") == 2 and count("年假二十天") == 5

"""Files into datasets: whole, once, and as they were where something fails."""

import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine
from app.models.embeddings import table_of
from app.services.operator import datasets, ingestion
from app.services.operator.datasets import DatasetRefused, DatasetSettings
from app.workflow.contracts.knowledge import MetadataFilter
from tests.support.datasets import PARKING, VACATION, embedded, look, make_dataset, names, put
from tests.support.documents import docx, pdf, xlsx

pytestmark = pytest.mark.usefixtures("app", "model")
LONG = "\n\n".join(f"## Part {number}\n\nThe word of part {number} is w{number}." for number in range(100))


def rows(dataset, table="segments"):
    with autocommit_engine().connect() as connection:
        return connection.execute(
            text(f"SELECT count(*) FROM {table} WHERE dataset_id = :id"), {"id": dataset.id}
        ).scalar_one()


def vectors(dataset):
    with autocommit_engine().connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table_of(dataset.id)}")).scalar_one()


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.md", b"# Tea\n\nTea is at ten."),
            ("a.txt", "Tea is at ten – always.".encode()),
            ("a.txt", "Tea f\u00fcr alle.".encode("cp1252")),
            ("a.html", b"<html><body><h1>Tea</h1><p>at ten</p><script>coffee()</script></body></html>"),
            ("a.csv", b"drink,hour\ntea,ten\n"),
            ("a.docx", docx("Tea is at ten.")),
            ("a.xlsx", xlsx(("drink", "hour"), ("tea", "ten"))),
            ("a.pdf", pdf("Tea is at ten.")),
        ],
    )
    def test_of_every_kind_are_found(self, name, content):
        dataset = make_dataset()
        added = put(dataset, name, content)
        assert added.outcome == "added"
        assert names(look(dataset, "tea")) == [name]
        assert look(dataset, "coffee") == []

    def test_with_pages_say_which(self):
        dataset = make_dataset()
        put(dataset, "a.pdf", pdf("Tea is at ten.", "Coffee is at noon."))
        assert look(dataset, "coffee")[0]["page"] == 2

    @pytest.mark.parametrize(
        ("name", "content", "problem"),
        [
            ("a.exe", b"MZ\x90", "not supported"),
            ("a.pdf", b"no pdf", "could not be read"),
            ("a.docx", b"no docx", "could not be read"),
            ("a.md", b"", "no text"),
            ("a.md", b" \n\n", "no text"),
            ("x" * 256, b"text", "255"),
            ("", b"text", "255"),
            ("a.pdf", pdf(""), "no text"),
        ],
    )
    def test_that_hold_nothing_are_refused_and_leave_nothing(self, name, content, problem):
        dataset = make_dataset()
        with pytest.raises(DatasetRefused, match=problem):
            put(dataset, name, content)
        assert (rows(dataset), rows(dataset, "documents")) == (0, 0)

    @pytest.mark.parametrize("character", ["\0", "\ud800", "\u2028", "\x1b", "\ufeff"])
    def test_with_strange_characters_are_taken(self, character):
        dataset = make_dataset()
        put(dataset, "a.txt", f"Tea {character} is at ten.".encode("utf-8", "surrogatepass"))
        assert names(look(dataset, "tea")) == ["a.txt"]


class TestADocument:
    def test_that_has_not_changed_is_left(self, model):
        dataset = embedded(("a.md", VACATION))
        asked = len(model.vector_requests)
        assert put(dataset, "a.md", VACATION).outcome == "unchanged"
        assert len(model.vector_requests) == asked

    def test_that_has_changed_is_replaced_and_embedded_where_it_is_new(self):
        dataset = embedded(("a.md", LONG))
        added = put(dataset, "a.md", LONG.replace("w42", "changed"))
        assert (added.outcome, added.embedded) == ("replaced", 1)
        assert look(dataset, "w42", search_method="full_text") == []
        assert (rows(dataset), vectors(dataset)) == (100, 100)

    def test_with_other_metadata_is_replaced(self):
        dataset = make_dataset(("a.md", VACATION, {"year": 1}))
        assert put(dataset, "a.md", VACATION, year=2).outcome == "replaced"
        assert look(dataset, "vacation")[0]["doc_metadata"]["year"] == 2

    def test_of_one_name_may_be_in_two_datasets(self):
        one, two = make_dataset(("a.md", VACATION)), make_dataset(("a.md", PARKING))
        assert (len(look(one, "vacation")), len(look(two, "vacation"))) == (1, 0)

    def test_tells_its_progress(self):
        told = []
        ingestion.add(make_dataset(), "a.md", LONG.encode(), {}, lambda done, of: told.append((done, of)))
        assert (told[0], told[-1]) == ((0, 100), (100, 100))


class Killed(BaseException):
    """What ends a process."""


class TestAnAddThatIsKilled:
    @pytest.fixture
    def cut(self):
        """A dataset whose process was killed in the middle of a file."""
        dataset = embedded(("other.md", PARKING))

        def kill(done, of):
            if done > 30:
                raise Killed

        with pytest.raises(Killed):
            ingestion.add(dataset, "a.md", LONG.encode(), {}, kill)
        return dataset

    def test_is_never_half_found(self, cut):
        assert look(cut, "w1", search_method="full_text") == []
        assert names(look(cut, "Part 1", search_method="semantic", top_k=50)) == ["other.md"]

    def test_is_shown_as_unfinished(self, cut):
        assert [(document.name, document.status) for document in datasets.documents(cut.id)] == [
            ("a.md", "indexing"),
            ("other.md", "completed"),
        ]

    def test_is_taken_up_by_the_next_one(self, cut):
        again = put(cut, "a.md", LONG)
        assert 0 < again.embedded < 100
        assert (rows(cut), vectors(cut)) == (101, 101)
        assert names(look(cut, "w1", search_method="full_text")) == ["a.md"]

    def test_can_be_removed(self, cut):
        assert datasets.remove_documents(cut.name, ["a.md"]) == []
        assert (rows(cut), vectors(cut)) == (1, 1)


class TestAModelThatFails:
    def test_leaves_what_was_there(self, model, monkeypatch):
        monkeypatch.setattr("app.providers.models.embeddings.LONGEST_PAUSE_SECONDS", 0.01)
        dataset = embedded(("a.md", VACATION))
        model.script_vectors(*["server_error"] * 10)
        with pytest.raises(DatasetRefused, match="embedding model does not answer"):
            put(dataset, "a.md", PARKING)
        model.reset()
        assert names(look(dataset, "vacation")) == ["a.md"]
        assert [document.status for document in datasets.documents(dataset.id)] == ["completed", "error"]


class TestADatabaseWithoutVectors:
    @pytest.fixture
    def none(self, monkeypatch):
        monkeypatch.setattr(
            datasets, "_extension_problem", lambda: "The database has no extension `vector` (pgvector)."
        )

    def test_serves_words_alone_and_says_so(self, none):
        dataset, warnings = datasets.create("no vectors", DatasetSettings(embedding_model="embed-small"))
        assert (dataset.search_method, dataset.dimensions) == ("full_text", None)
        assert "full text alone" in warnings[0]
        put(dataset, "a.md", VACATION)
        assert names(look(dataset, "vacation")) == ["a.md"]

    def test_refuses_what_needs_them(self, none):
        with pytest.raises(DatasetRefused, match="by meaning"):
            embedded(search_method="semantic")


class TestADataset:
    @pytest.mark.parametrize("name", ["", "  ", "x" * 256])
    def test_has_a_name(self, name):
        with pytest.raises(DatasetRefused, match="1 to 255"):
            datasets.create(name, DatasetSettings())

    def test_s_name_is_its_own(self):
        dataset = make_dataset()
        with pytest.raises(DatasetRefused, match="already"):
            datasets.create(dataset.name, DatasetSettings())
        datasets.remove(dataset.name)
        assert datasets.create(dataset.name, DatasetSettings())[0].id != dataset.id

    def test_without_a_model_cannot_be_searched_by_meaning(self):
        with pytest.raises(DatasetRefused, match="name an embedding model"):
            make_dataset(search_method="semantic")


class TestAnIndex:
    @pytest.fixture
    def indexed(self, monkeypatch):
        """A dataset that counts as a large one."""
        monkeypatch.setattr("app.models.embeddings.INDEXED_FROM", 50)
        dataset = embedded(("a.md", LONG), ("vacation.md", VACATION, {"year": 2026}))
        ingestion.settle(dataset)
        return dataset

    def test_is_made_where_there_are_many(self, indexed):
        with autocommit_engine().connect() as connection:
            assert (
                connection.execute(
                    text("SELECT to_regclass(:name)"), {"name": f"{table_of(indexed.id)}_nearest"}
                ).scalar_one()
                is not None
            )
        ingestion.settle(indexed)

    def test_is_not_made_where_there_are_few(self):
        dataset = embedded(("vacation.md", VACATION))
        ingestion.settle(dataset)
        with autocommit_engine().connect() as connection:
            assert (
                connection.execute(
                    text("SELECT to_regclass(:name)"), {"name": f"{table_of(dataset.id)}_nearest"}
                ).scalar_one()
                is None
            )

    def test_finds_the_same(self, indexed):
        assert names(look(indexed, "holiday", search_method="semantic", top_k=1)) == ["vacation.md"]
        assert names(look(indexed, "w42", search_method="full_text")) == ["a.md"]

    def test_finds_what_fits_a_condition(self, indexed):
        condition = MetadataFilter("year", "=", 2026)
        assert names(look(indexed, "part word", search_method="semantic", conditions=[condition])) == ["vacation.md"]

    def test_goes_with_what_is_added_later(self, indexed):
        put(indexed, "parking.md", PARKING)
        assert names(look(indexed, PARKING, search_method="semantic", top_k=1)) == ["parking.md"]

"""Searches: what is found, in which order, and what is told of it (contract streaming.md §3.2)."""

import pytest
from sqlalchemy import text

from app.errors import ProviderNotInitialize
from app.extensions import autocommit_engine
from app.models.embeddings import table_of
from app.providers.cancellation import Cancellation, Cancelled
from app.providers.models.routes import ModelRoutes
from app.services.knowledge.retrieval import AppKnowledge
from app.services.operator import datasets
from app.workflow.contracts.knowledge import MetadataFilter, Retrieval
from app.workflow.failures import NodeFailed
from tests.support.datasets import COFFEE, PARKING, VACATION, embedded, look, make_dataset, names, put
from tests.support.factories import make_app
from tests.support.parts import put_part

pytestmark = pytest.mark.usefixtures("app", "model")
FILES = [("vacation.md", VACATION), ("parking.md", PARKING), ("coffee.md", COFFEE)]


class TestByWords:
    def test_the_best_fit_is_first(self):
        assert names(look(make_dataset(*FILES), "How many days of vacation?"))[0] == "vacation.md"

    def test_one_word_of_several_is_enough(self):
        assert names(look(make_dataset(*FILES), "gate unheard words")) == ["parking.md"]

    def test_nothing_fits(self):
        assert look(make_dataset(*FILES), "xylophone") == []

    @pytest.mark.parametrize("query", ["", "  ", "!?", "\0"])
    def test_a_query_without_words_finds_nothing(self, query):
        assert look(make_dataset(*FILES), query) == []

    @pytest.mark.parametrize(
        ("document", "query"),
        [
            ("年假有二十五天。", "年假"),
            ("有給休暇は二十日です。", "休暇は何日"),
            ("연차 휴가는 스무 날입니다.", "휴가"),
            ("Der Urlaub dauert fünfundzwanzig Tage.", "URLAUB"),
            ("Le congé dure cinq semaines.", "conge"),
            ("Отпуск длится месяц.", "отпуск"),
        ],
    )
    def test_any_language_is_found(self, document, query):
        assert names(look(make_dataset(("doc.md", document), ("other.md", "Something else.")), query)) == ["doc.md"]

    def test_what_looks_like_a_query_language_is_words(self):
        dataset = make_dataset(*FILES)
        for query in ("vacation & !", "vacation:*", "'vacation' | \\", "(vacation", "vacation <-> days"):
            assert names(look(dataset, query)) == ["vacation.md"]


class TestByMeaning:
    def test_other_words_of_the_same_meaning_are_found(self):
        assert names(look(embedded(*FILES), "holiday", search_method="semantic", top_k=1)) == ["vacation.md"]

    def test_scores_are_similarities(self):
        sources = look(embedded(*FILES), VACATION, search_method="semantic")
        assert sources[0]["score"] == pytest.approx(1, abs=0.01)
        assert [source["score"] for source in sources] == sorted((source["score"] for source in sources), reverse=True)

    def test_a_threshold_leaves_out_what_is_too_far(self):
        assert names(look(embedded(*FILES), VACATION, search_method="semantic", score_threshold=0.9)) == ["vacation.md"]

    def test_the_dataset_s_own_threshold_holds_where_the_app_has_none(self):
        dataset = embedded(*FILES, score_threshold=0.9, search_method="semantic")
        assert names(look(dataset, VACATION)) == ["vacation.md"]
        assert len(look(dataset, VACATION, score_threshold=0.0)) == 3

    def test_the_model_s_absence_leaves_full_text(self, model):
        dataset = embedded(*FILES)
        model.script_vectors("server_error", "server_error", "server_error")
        assert names(look(dataset, "vacation")) == ["vacation.md"]

    def test_vectors_of_another_length_are_not_searched(self, model):
        dataset = embedded(*FILES)
        model.embed_with(32)
        try:
            assert names(look(dataset, "vacation")) == ["vacation.md"]
        finally:
            model.embed_with(64)


class TestBoth:
    def test_words_and_meaning_are_merged(self):
        dataset = embedded(
            ("vacation.md", VACATION),
            ("calendar.md", "The holiday calendar hangs in the kitchen."),
            ("coffee.md", COFFEE),
        )
        assert set(names(look(dataset, "holiday", top_k=2))) == {"vacation.md", "calendar.md"}

    def test_weights_decide_between_them(self):
        dataset = embedded(
            ("vacation.md", VACATION), ("word.md", "holiday " + " ".join(f"filler{number}" for number in range(60)))
        )
        assert names(look(dataset, "holiday", weights=(1.0, 0.0)))[0] == "vacation.md"
        assert names(look(dataset, "holiday", weights=(0.0, 1.0)))[0] == "word.md"

    def test_several_datasets_are_one_list(self):
        found = look([make_dataset(("a.md", "Tea at ten.")), embedded(("b.md", "Tea at noon."))], "tea")
        assert sorted(names(found)) == ["a.md", "b.md"]
        assert [source["position"] for source in found] == [1, 2]

    def test_top_k_is_the_most(self):
        assert len(look(embedded(*[f"Tea number {number}." for number in range(10)]), "tea", top_k=3)) == 3


class TestReranking:
    @pytest.fixture
    def reranker(self, app, model, tmp_path, monkeypatch):
        file = tmp_path / "models.yml"
        file.write_text(
            f"endpoints:\n  here: {{base_url: '{model.base_url}'}}\nmodels:\n"
            "  - {provider: '*', name: '*rerank*', kind: rerank, endpoint: here}\n"
            "  - {provider: '*', name: 'embed*', kind: embedding, endpoint: here}\n"
        )
        put_part(monkeypatch, app, ModelRoutes.from_settings(str(file), "", "", "", {}))

    def test_orders_what_was_found(self, reranker, model):
        dataset = embedded(
            ("long.md", "tea tea tea tea and nothing else"),
            ("exact.md", "when is tea served"),
            search_method="full_text",
        )
        sources = look(dataset, "when is tea served", rerank_model=("cohere", "rerank-v3"))
        assert names(sources)[0] == "exact.md"
        assert sources[0]["score"] == 1.0
        assert model.vector_requests[-1].body["query"] == "when is tea served"

    def test_has_the_threshold(self, reranker):
        dataset = make_dataset(("exact.md", "when is tea served"), ("little.md", "tea"))
        assert names(
            look(dataset, "when is tea served", rerank_model=("cohere", "rerank-v3"), score_threshold=0.5)
        ) == ["exact.md"]

    def test_that_does_not_answer_leaves_the_order(self, reranker, model):
        dataset = make_dataset(*FILES)
        model.script_vectors("server_error", "server_error")
        assert names(look(dataset, "vacation", rerank_model=("cohere", "rerank-v3"))) == ["vacation.md"]

    def test_that_nobody_set_up_leaves_the_order(self):
        assert names(look(make_dataset(*FILES), "vacation", rerank_model=("cohere", "rerank-v3"))) == ["vacation.md"]


class TestWhatIsTold:
    def test_every_field(self):
        dataset = make_dataset(("handbook.md", "# Handbook\n\n## Vacation\n\n25 days.", {"year": 2026}))
        (source,) = look(dataset, "vacation")
        assert source | {"score": None, "document_id": None, "segment_id": None, "index_node_hash": None} == {
            "position": 1,
            "dataset_id": str(dataset.id),
            "dataset_name": dataset.name,
            "document_id": None,
            "document_name": "handbook.md",
            "data_source_type": "upload_file",
            "segment_id": None,
            "score": None,
            "hit_count": 1,
            "word_count": 4,
            "segment_position": 1,
            "index_node_hash": None,
            "content": "# Handbook\n\n## Vacation\n\n25 days.",
            "page": None,
            "title": "Handbook › Vacation",
            "files": [],
            "summary": None,
            "doc_metadata": source["doc_metadata"],
        }
        assert source["doc_metadata"]["year"] == 2026
        assert len(source["index_node_hash"]) == 64
        assert 0 < source["score"] <= 1

    def test_hits_are_counted(self):
        dataset = make_dataset(*FILES)
        assert [look(dataset, "vacation")[0]["hit_count"] for _ in range(3)] == [1, 2, 3]


class TestConditions:
    @pytest.fixture
    def dataset(self):
        return make_dataset(
            ("old.md", "Tea.", {"year": 2020, "team": "kitchen", "signed": "2020-05-01"}),
            ("new.md", "Tea.", {"year": 2026, "team": "office"}),
            ("bare.md", "Tea."),
        )

    @pytest.mark.parametrize(
        ("name", "operator", "value", "found"),
        [
            ("team", "is", "office", ["new.md"]),
            ("team", "is not", "office", ["bare.md", "old.md"]),
            ("team", "contains", "itch", ["old.md"]),
            ("team", "not contains", "itch", ["bare.md", "new.md"]),
            ("team", "start with", "kit", ["old.md"]),
            ("team", "end with", "ice", ["new.md"]),
            ("team", "empty", None, ["bare.md"]),
            ("team", "not empty", None, ["new.md", "old.md"]),
            ("team", "in", ["office", "x"], ["new.md"]),
            ("team", "in", "office, kitchen", ["new.md", "old.md"]),
            ("team", "not in", ["office"], ["bare.md", "old.md"]),
            ("year", "=", 2026, ["new.md"]),
            ("year", "=", "2026", ["new.md"]),
            ("year", "≠", 2026, ["bare.md", "old.md"]),
            ("year", ">", 2020, ["new.md"]),
            ("year", "≥", "2020", ["new.md", "old.md"]),
            ("year", "<", 2021, ["old.md"]),
            ("year", "≤", 2026, ["new.md", "old.md"]),
            ("signed", "before", "2021-01-01", ["old.md"]),
            ("signed", "after", 1577836800, ["old.md"]),
            ("document_name", "is", "bare.md", ["bare.md"]),
            ("team", "is", "' OR 1=1 --", []),
            ("te'am", "is", "x", []),
            ("year", ">", 1e30, []),
            ("team", ">", 5, []),
        ],
    )
    def test_choose_documents(self, dataset, name, operator, value, found):
        assert sorted(names(look(dataset, "tea", conditions=[MetadataFilter(name, operator, value)]))) == found

    def test_are_joined_by_and_or_or(self, dataset):
        conditions = [MetadataFilter("team", "is", "office"), MetadataFilter("year", "=", 2020)]
        assert look(dataset, "tea", conditions=conditions) == []
        assert sorted(names(look(dataset, "tea", conditions=conditions, logical_operator="or"))) == ["new.md", "old.md"]

    @pytest.mark.parametrize(("operator", "value"), [("=", "many"), ("before", "yesterday"), ("resembles", "x")])
    def test_that_cannot_be_read_are_said(self, dataset, operator, value):
        with pytest.raises(NodeFailed, match="Metadata condition on 'year'"):
            look(dataset, "tea", conditions=[MetadataFilter("year", operator, value)])

    def test_hold_for_searches_by_meaning(self):
        dataset = embedded(("old.md", VACATION, {"year": 2020}), ("new.md", VACATION + " New.", {"year": 2026}))
        assert names(
            look(dataset, "holiday", search_method="semantic", conditions=[MetadataFilter("year", "=", 2020)])
        ) == ["old.md"]


class TestAnApp:
    def search(self, app, *dataset_ids):
        return AppKnowledge(str(app.id)).retrieve(Retrieval(dataset_ids, "vacation"), 10, Cancellation())

    def test_finds_what_its_file_s_ids_are_bound_to(self):
        app, dataset = make_app(), make_dataset(*FILES)
        datasets.bind(app.code, "old-id", dataset.name)
        assert names(self.search(app, "old-id")) == ["vacation.md"]

    def test_does_not_find_by_the_bindings_of_another(self):
        app, other, dataset = make_app(), make_app(), make_dataset(*FILES)
        datasets.bind(other.code, "old-id", dataset.name)
        assert self.search(app, "old-id") == []

    def test_may_name_ours_by_their_ids(self):
        assert names(self.search(make_app(), str(make_dataset(*FILES).id))) == ["vacation.md"]

    @pytest.mark.parametrize("unknown", ["nothing", "019b0000-0000-7000-8000-000000000000", "", "a\0b", "x" * 5000])
    def test_does_without_what_is_not_there(self, unknown):
        assert self.search(make_app(), unknown) == []

    def test_knows_the_fields_of_its_documents(self):
        app, dataset = make_app(), make_dataset(("a.md", "Tea.", {"team": "x"}))
        fields = AppKnowledge(str(app.id)).metadata_fields([str(dataset.id)])
        assert sorted(fields) == ["document_name", "source", "team", "upload_date"]


class TestLimits:
    def test_a_stop_ends_a_search(self, model):
        dataset, cancellation = embedded(*FILES), Cancellation()
        cancellation.cancel()
        with pytest.raises(Cancelled):
            AppKnowledge(str(make_app().id)).retrieve(Retrieval([str(dataset.id)], "vacation"), 10, cancellation)

    def test_removed_documents_are_not_found(self):
        dataset = make_dataset(*FILES)
        datasets.remove_documents(dataset.name, ["vacation.md"])
        assert look(dataset, "vacation") == []

    def test_a_removed_dataset_is_not_found_and_leaves_nothing(self):
        dataset = embedded(*FILES)
        datasets.remove(dataset.name)
        assert look(dataset, "vacation") == []
        datasets.purge()
        with autocommit_engine().connect() as connection:
            left = connection.execute(
                text("SELECT count(*) FROM segments WHERE dataset_id = :id"), {"id": dataset.id}
            ).scalar_one()
            table = connection.execute(text("SELECT to_regclass(:name)"), {"name": table_of(dataset.id)}).scalar_one()
        assert (left, table) == (0, None)

    def test_a_model_without_a_route_is_refused_when_the_dataset_is_made(self, app, monkeypatch):
        put_part(monkeypatch, app, ModelRoutes.from_settings("", "", "", "", {}))
        with pytest.raises(datasets.DatasetRefused, match="embed-small"):
            embedded()
        assert ProviderNotInitialize.code == "provider_not_initialize"

    def test_a_new_version_takes_the_old_one_s_place(self):
        dataset = make_dataset(*FILES)
        put(dataset, "vacation.md", "Nobody goes anywhere.")
        assert look(dataset, "vacation") == []
        assert names(look(dataset, "nobody")) == ["vacation.md"]

"""`knowledge-retrieval`, and `llm` nodes that use its passages (contract dsl.md §3.7)."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.providers.cancellation import Cancellation
from app.workflow.contracts.knowledge import MetadataFilter, Retrieval, cited, passage_of, source_of
from app.workflow.contracts.node_services import NodeServices
from app.workflow.failures import NodeFailed
from tests.support.workflow.graphs import RunRecord, end, graph, node, run, start
from tests.support.workflow.model_services import MODEL, sent, services_with

SOURCE = {
    "position": 1,
    "dataset_id": "d",
    "dataset_name": "Rules",
    "document_id": "doc",
    "document_name": "rules.md",
    "data_source_type": "upload_file",
    "segment_id": "s1",
    "score": 0.9,
    "hit_count": 3,
    "word_count": 5,
    "segment_position": 2,
    "index_node_hash": "h",
    "content": "Tea is at ten.",
    "page": None,
    "title": "Tea",
    "files": [],
    "summary": None,
    "doc_metadata": {"year": 2026},
}


class FakeKnowledge:
    """Datasets that return the sources of a test; `asked` lists the searches (implements `Knowledge`)."""

    def __init__(
        self, *sources: Mapping[str, Any], fields: Sequence[str] = ("year", "team"), failure: Exception | None = None
    ) -> None:
        self.sources, self.fields, self.failure = sources or (SOURCE,), fields, failure
        self.asked: list[Retrieval] = []

    def retrieve(self, retrieval: Retrieval, seconds: float, cancellation: Cancellation) -> Sequence[Mapping[str, Any]]:
        self.asked.append(retrieval)
        if self.failure is not None:
            raise self.failure
        return self.sources

    def metadata_fields(self, dataset_ids: Sequence[str]) -> Sequence[str]:
        return self.fields


def retrieve(
    knowledge: FakeKnowledge | None, query: Any = "tea", services: NodeServices | None = None, **data: Any
) -> RunRecord:
    retrieval = node(
        "find", "knowledge-retrieval", query_variable_selector=["start", "query"], dataset_ids=["d1", "d2"], **data
    )
    definition = graph(start(query="text-input"), retrieval, end(result=["find", "result"]), "start > find > end")
    return run(
        definition, {"query": query}, services=dataclasses.replace(services or NodeServices(), knowledge=knowledge)
    )


def test_the_result_holds_what_was_found() -> None:
    (item,) = retrieve(FakeKnowledge()).outputs("find")["result"]
    assert (item["title"], item["content"], item["files"], item["summary"]) == ("Tea", "Tea is at ten.", [], None)
    assert item["metadata"] == {
        "_source": "knowledge",
        "retriever_from": "workflow",
        "position": 1,
        "dataset_id": "d",
        "dataset_name": "Rules",
        "document_id": "doc",
        "document_name": "rules.md",
        "data_source_type": "upload_file",
        "segment_id": "s1",
        "score": 0.9,
        "page": None,
        "doc_metadata": {"year": 2026},
        "segment_hit_count": 3,
        "segment_word_count": 5,
        "segment_index_node_hash": "h",
        "segment_position": 2,
    }


def test_a_source_can_be_had_back_from_the_result() -> None:
    assert source_of(passage_of(SOURCE)) == SOURCE


@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_query_finds_nothing_and_asks_nobody(query: str) -> None:
    knowledge = FakeKnowledge()
    assert retrieve(knowledge, query).outputs("find") == {"result": []}
    assert knowledge.asked == []


def test_the_settings_go_into_the_search() -> None:
    knowledge = FakeKnowledge()
    weights = {"vector_setting": {"vector_weight": 0.6}, "keyword_setting": {"keyword_weight": 0.4}}
    retrieve(
        knowledge,
        multiple_retrieval_config={
            "top_k": 7,
            "score_threshold": 0.5,
            "reranking_mode": "weighted_score",
            "weights": weights,
        },
    )
    retrieve(
        knowledge,
        multiple_retrieval_config={
            "top_k": 2,
            "score_threshold": None,
            "reranking_enable": True,
            "reranking_model": {"provider": "p", "model": "m"},
        },
    )
    assert knowledge.asked == [
        Retrieval(["d1", "d2"], "tea", 7, 0.5, weights=(0.6, 0.4)),
        Retrieval(["d1", "d2"], "tea", 2, None, rerank_model=("p", "m")),
    ]


def test_one_of_several_datasets_means_the_best_of_all() -> None:
    knowledge = FakeKnowledge()
    retrieve(knowledge, retrieval_mode="single", single_retrieval_config={"model": MODEL})
    assert knowledge.asked == [Retrieval(["d1", "d2"], "tea")]


def test_a_failing_search_fails_the_node() -> None:
    record = retrieve(
        FakeKnowledge(failure=NodeFailed("The knowledge could not be searched.", "KnowledgeRetrievalError"))
    )
    assert record.of("find").error == "The knowledge could not be searched."


def test_without_knowledge_the_node_fails() -> None:
    assert retrieve(None).of("find").error == "Knowledge is not available in this run."


class TestFilters:
    def test_of_the_author_may_hold_references(self) -> None:
        knowledge = FakeKnowledge()
        conditions = [
            {"name": "team", "comparison_operator": "is", "value": "{{#start.query#}}"},
            {"name": "year", "comparison_operator": ">", "value": 2020},
        ]
        retrieve(
            knowledge,
            metadata_filtering_mode="manual",
            metadata_filtering_conditions={"logical_operator": "or", "conditions": conditions},
        )
        assert (list(knowledge.asked[0].conditions), knowledge.asked[0].logical_operator) == (
            [MetadataFilter("team", "is", "tea"), MetadataFilter("year", ">", 2020)],
            "or",
        )

    def automatic(self, model: Any, answer: str, knowledge: FakeKnowledge) -> Retrieval:
        model.script(answer)
        retrieve(
            knowledge,
            "tea in 2026",
            services_with(model),
            metadata_filtering_mode="automatic",
            metadata_model_config=MODEL,
        )
        return knowledge.asked[0]

    def test_of_a_model_are_read_from_its_answer(self, model: Any) -> None:
        asked = self.automatic(
            model, 'Sure: ```json\n[{"name": "year", "operator": "=", "value": 2026}]\n```', FakeKnowledge()
        )
        assert list(asked.conditions) == [MetadataFilter("year", "=", 2026)]
        assert "year, team" in sent(model)[0][1]

    @pytest.mark.parametrize(
        "answer",
        [
            "[]",
            "none",
            "[1]",
            '[{"name": "secret", "operator": "=", "value": 1}]',
            '[{"name": "year", "operator": "like"}]',
        ],
    )
    def test_of_a_model_that_makes_no_sense_are_none(self, model: Any, answer: str) -> None:
        assert self.automatic(model, answer, FakeKnowledge()).conditions == ()

    def test_of_a_model_that_fails_are_none(self, model: Any) -> None:
        knowledge = FakeKnowledge()
        model.script(status=401)
        retrieve(
            knowledge, "tea", services_with(model), metadata_filtering_mode="automatic", metadata_model_config=MODEL
        )
        assert knowledge.asked[0].conditions == ()

    def test_are_not_asked_for_where_documents_have_no_fields(self, model: Any) -> None:
        retrieve(
            FakeKnowledge(fields=()),
            "tea",
            services_with(model),
            metadata_filtering_mode="automatic",
            metadata_model_config=MODEL,
        )
        assert model.requests == []


def test_a_model_reads_the_passages(model: Any) -> None:
    knowledge = FakeKnowledge(SOURCE, {**SOURCE, "segment_id": "s2", "content": "Coffee is at noon."})
    retrieval = node("find", "knowledge-retrieval", query_variable_selector=["sys", "query"], dataset_ids=["d"])
    prompt = [{"role": "user", "text": "{{#context#}} | {{#sys.query#}}"}]
    llm = node(
        "llm",
        "llm",
        model=MODEL,
        prompt_template=prompt,
        context={"enabled": True, "variable_selector": ["find", "result"]},
    )
    definition = graph(start(), retrieval, llm, end(text=["llm", "text"]), "start > find > llm > end")
    run(definition, services=dataclasses.replace(services_with(model), knowledge=knowledge), system={"query": "When?"})
    assert sent(model) == [("user", "Tea is at ten.\nCoffee is at noon. | When?")]


def test_a_segment_is_cited_once_and_numbered_anew() -> None:
    other = {**SOURCE, "segment_id": "s2", "position": 1}
    assert [
        (source["segment_id"], source["position"]) for source in cited([SOURCE, other, {**SOURCE, "position": 9}])
    ] == [("s1", 1), ("s2", 2)]

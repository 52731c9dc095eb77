"""The settings by which an app searches its datasets (contract dsl.md §2, `dataset_configs`; §3.7, retrieval nodes)."""

from collections.abc import Sequence
from typing import Any

import pydantic

from app.workflow.contracts.knowledge import MetadataFilter, Retrieval
from app.workflow.contracts.node import ConfigPart

TOP_K = 4
MOST = 100


class RerankChoice(ConfigPart):
    """The rerank model of an app file. Versions of editors name its parts differently."""

    provider: str = pydantic.Field("", validation_alias=pydantic.AliasChoices("provider", "reranking_provider_name"))
    name: str = pydantic.Field("", validation_alias=pydantic.AliasChoices("model", "reranking_model_name", "name"))


class VectorSetting(ConfigPart):
    """The weight of the search by embeddings."""

    vector_weight: float = 0.7


class KeywordSetting(ConfigPart):
    """The weight of the search by keywords."""

    keyword_weight: float = 0.3


class SearchWeights(ConfigPart):
    """The weights of both searches, for `reranking_mode: weighted_score`."""

    vector_setting: VectorSetting = VectorSetting()
    keyword_setting: KeywordSetting = KeywordSetting()


class RetrievalSettings(ConfigPart):
    """The search settings of an app or a node. Without `score_threshold_enabled`, a given threshold applies."""

    top_k: int = TOP_K
    score_threshold: float | None = None
    score_threshold_enabled: bool | None = None
    reranking_enable: bool = False
    reranking_mode: str = ""
    reranking_model: RerankChoice = RerankChoice()
    weights: SearchWeights | None = None

    def retrieval(
        self, dataset_ids: Sequence[str], query: str, conditions: Sequence[MetadataFilter] = (), operator: str = "and"
    ) -> Retrieval:
        """Return one search by these settings. `operator` joins the conditions."""
        weighted = self.reranking_mode == "weighted_score"
        rerank = self.reranking_enable and not weighted and bool(self.reranking_model.name)
        return Retrieval(
            dataset_ids=dataset_ids,
            query=query,
            top_k=min(max(self.top_k, 1), MOST),
            score_threshold=None if self.score_threshold_enabled is False else self.score_threshold,
            weights=(self.weights.vector_setting.vector_weight, self.weights.keyword_setting.keyword_weight)
            if weighted and self.weights
            else None,
            rerank_model=(self.reranking_model.provider, self.reranking_model.name) if rerank else None,
            conditions=tuple(conditions),
            logical_operator=operator,
        )


class MetadataConditionConfig(ConfigPart):
    """One condition on documents' metadata. `value` may hold references."""

    name: str
    comparison_operator: str
    value: Any = None


class MetadataConditionsConfig(ConfigPart):
    """The conditions of `metadata_filtering_mode: manual`."""

    logical_operator: str = "and"
    conditions: list[MetadataConditionConfig] = []

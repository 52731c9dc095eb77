"""`knowledge-retrieval`: the passages of datasets that fit a query (contract dsl.md §3.7)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from app.providers.models.chat_types import ModelMessage
from app.workflow.asking.model_calls import ModelCall, NodeModel
from app.workflow.contracts.events import Result
from app.workflow.contracts.knowledge import NODE_KIND, MetadataFilter, passage_of
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.metadata_filters import automatic_conditions
from app.workflow.rules.retrieval_settings import MetadataConditionsConfig, RetrievalSettings
from app.workflow.values.templates import empty, filled
from app.workflow.values.values import text_of
from app.workflow.values.variables import MISSING, Selector

LONGEST_SEARCH = 60.0


class RetrievalConfig(NodeConfig):
    """The configuration of a retrieval node."""

    query_variable_selector: Selector = ()
    dataset_ids: list[str] = []
    retrieval_mode: str = "multiple"
    multiple_retrieval_config: RetrievalSettings = RetrievalSettings()
    metadata_filtering_mode: Literal["disabled", "automatic", "manual"] = "disabled"
    metadata_model_config: NodeModel | None = None
    metadata_filtering_conditions: MetadataConditionsConfig = MetadataConditionsConfig()


class KnowledgeRetrieval(Node):
    """Searches datasets: outputs `result`, a list of passages, best first; empty for an empty query."""

    kind = NODE_KIND
    Config = RetrievalConfig
    has_side_effects = True

    def run(self, context: NodeContext) -> Result:
        config = self.config
        value = context.variables.get(config.query_variable_selector)
        query = "" if value is MISSING else text_of(value).strip()
        inputs = {"query": query}
        if not query:
            return Result(outputs={"result": []}, inputs=inputs)
        if context.services.knowledge is None:
            raise NodeFailed("Knowledge is not available in this run.", "KnowledgeRetrievalError", inputs)
        conditions, usage = self._conditions(context, query)
        # `single` lets a model choose one dataset. All are searched instead: the best passages are the same.
        settings = config.multiple_retrieval_config if config.retrieval_mode != "single" else RetrievalSettings()
        retrieval = settings.retrieval(
            config.dataset_ids, query, conditions, config.metadata_filtering_conditions.logical_operator
        )
        sources = context.services.knowledge.retrieve(
            retrieval, context.seconds_left(LONGEST_SEARCH), context.cancellation
        )
        compared = [[condition.name, condition.operator, condition.value] for condition in conditions]
        return Result(
            outputs={"result": [passage_of(source) for source in sources]},
            inputs=inputs,
            process_data={"conditions": compared},
            usage=usage,
        )

    def _conditions(self, context: NodeContext, query: str) -> tuple[Sequence[MetadataFilter], Mapping[str, Any]]:
        """Return the conditions on documents, from the author or a model, and the usage of that model."""
        config = self.config
        if config.metadata_filtering_mode == "manual":
            return [
                MetadataFilter(
                    condition.name,
                    condition.comparison_operator,
                    filled(condition.value, context.variables, missing=empty),
                )
                for condition in config.metadata_filtering_conditions.conditions
            ], {}
        if (
            config.metadata_filtering_mode != "automatic"
            or config.metadata_model_config is None
            or context.services.knowledge is None
        ):
            return [], {}
        usage: dict[str, Any] = {}

        def ask(messages: Sequence[ModelMessage]) -> str:
            choice: NodeModel = config.metadata_model_config
            reply = ModelCall(choice, messages, choice.completion_params, {"query": query}).ask(
                context, choice.find(context)
            )
            usage.update(reply.recorded_usage)
            return reply.text

        try:
            return automatic_conditions(
                ask, context.services.knowledge.metadata_fields(config.dataset_ids), query
            ), usage
        except NodeFailed:
            # A search without the filter still finds the passages, and more: better than a node that fails.
            return [], usage

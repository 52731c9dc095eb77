"""`knowledge-retrieval`: passages of the app's knowledge that fit a query (contract dsl.md §3.7)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from app.providers.models.chat_types import ModelMessage
from app.workflow.asking.model_calls import ModelCall, NodeModel
from app.workflow.contracts.events import Result
from app.workflow.contracts.knowledge import NODE_KIND, MetadataFilter, passage_of
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.metadata_filters import automatic_conditions
from app.workflow.rules.retrieval_settings import MetadataConditions, RetrievalSettings
from app.workflow.values.templates import empty, filled
from app.workflow.values.values import text_of
from app.workflow.values.variables import Selector

LONGEST_SEARCH = 60.0


class RetrievalConfig(NodeConfig):
    query_variable_selector: Selector = ()
    dataset_ids: list[str] = []
    retrieval_mode: str = "multiple"
    multiple_retrieval_config: RetrievalSettings = RetrievalSettings()
    metadata_filtering_mode: Literal["disabled", "automatic", "manual"] = "disabled"
    metadata_model_config: NodeModel | None = None
    metadata_filtering_conditions: MetadataConditions = MetadataConditions()


class KnowledgeRetrieval(Node):
    kind = NODE_KIND
    Config = RetrievalConfig
    has_side_effects = True

    def run(self, context: NodeContext) -> Result:
        config = self.config
        query = (
            text_of(context.variables.require(config.query_variable_selector)).strip()
            if config.query_variable_selector
            else ""
        )
        inputs = {"query": query}
        if not query:
            return Result(outputs={"result": []}, inputs=inputs)
        if context.services.knowledge is None:
            raise NodeFailed("This run has no knowledge.", "KnowledgeRetrievalError", inputs)
        conditions, usage = self._conditions(context, query)
        # Of one dataset or of all, the best passages are the same: a model's choice between datasets adds nothing.
        settings = config.multiple_retrieval_config if config.retrieval_mode != "single" else RetrievalSettings()
        retrieval = settings.retrieval(
            config.dataset_ids, query, conditions, config.metadata_filtering_conditions.logical_operator
        )
        sources = context.services.knowledge.retrieve(
            retrieval, context.seconds_left(LONGEST_SEARCH), context.cancellation
        )
        told = {"conditions": [[condition.name, condition.operator, condition.value] for condition in conditions]}
        return Result(
            outputs={"result": [passage_of(source) for source in sources]},
            inputs=inputs,
            process_data=told,
            usage=usage,
        )

    def _conditions(self, context: NodeContext, query: str) -> tuple[Sequence[MetadataFilter], Mapping[str, Any]]:
        """What the author or a model demands of documents, and what asking cost."""
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
            usage.update(reply.usage)
            return reply.text

        try:
            return automatic_conditions(
                ask, context.services.knowledge.metadata_fields(config.dataset_ids), query
            ), usage
        except NodeFailed:
            # Without a filter more is found, not less.
            return [], usage

"""`knowledge-retrieval`: passages of the app's knowledge that fit a query (contract dsl.md §3.7)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from app.providers.models.chat_types import ModelMessage
from app.workflow.asking.model_calls import Call, ModelChoice
from app.workflow.contracts.events import Result
from app.workflow.contracts.knowledge import NODE_KIND, Condition, passage_of
from app.workflow.contracts.node import Config, Context, Node
from app.workflow.failures import NodeFailed
from app.workflow.rules.metadata_filters import automatic_conditions
from app.workflow.rules.retrieval_settings import MetadataConditions, RetrievalSettings
from app.workflow.values.templates import empty, filled
from app.workflow.values.values import text_of
from app.workflow.values.variables import Selector

LONGEST_SEARCH = 60.0


class RetrievalConfig(Config):
    query_variable_selector: Selector = ()
    dataset_ids: list[str] = []
    retrieval_mode: str = "multiple"
    multiple_retrieval_config: RetrievalSettings = RetrievalSettings()
    metadata_filtering_mode: Literal["disabled", "automatic", "manual"] = "disabled"
    metadata_model_config: ModelChoice | None = None
    metadata_filtering_conditions: MetadataConditions = MetadataConditions()


class KnowledgeRetrieval(Node):
    kind = NODE_KIND
    Config = RetrievalConfig
    outside = True

    def run(self, context: Context) -> Result:
        config = self.config
        query = (
            text_of(context.variables.require(config.query_variable_selector)).strip()
            if config.query_variable_selector
            else ""
        )
        inputs = {"query": query}
        if not query:
            return Result(outputs={"result": []}, inputs=inputs)
        if context.outside.knowledge is None:
            raise NodeFailed("This run has no knowledge.", "KnowledgeRetrievalError", inputs)
        conditions, usage = self._conditions(context, query)
        # Of one dataset or of all, the best passages are the same: a model's choice between datasets adds nothing.
        settings = config.multiple_retrieval_config if config.retrieval_mode != "single" else RetrievalSettings()
        retrieval = settings.retrieval(
            config.dataset_ids, query, conditions, config.metadata_filtering_conditions.logical_operator
        )
        sources = context.outside.knowledge.retrieve(retrieval, context.seconds(LONGEST_SEARCH), context.cancellation)
        told = {"conditions": [[condition.name, condition.operator, condition.value] for condition in conditions]}
        return Result(
            outputs={"result": [passage_of(source) for source in sources]},
            inputs=inputs,
            process_data=told,
            usage=usage,
        )

    def _conditions(self, context: Context, query: str) -> tuple[Sequence[Condition], Mapping[str, Any]]:
        """What the author or a model demands of documents, and what asking cost."""
        config = self.config
        if config.metadata_filtering_mode == "manual":
            return [
                Condition(
                    condition.name,
                    condition.comparison_operator,
                    filled(condition.value, context.variables, missing=empty),
                )
                for condition in config.metadata_filtering_conditions.conditions
            ], {}
        if (
            config.metadata_filtering_mode != "automatic"
            or config.metadata_model_config is None
            or context.outside.knowledge is None
        ):
            return [], {}
        usage: dict[str, Any] = {}

        def ask(messages: Sequence[ModelMessage]) -> str:
            choice: ModelChoice = config.metadata_model_config
            reply = Call(choice, messages, choice.completion_params, {"query": query}).ask(
                context, choice.find(context)
            )
            usage.update(reply.usage)
            return reply.text

        try:
            return automatic_conditions(
                ask, context.outside.knowledge.metadata_fields(config.dataset_ids), query
            ), usage
        except NodeFailed:
            # Without a filter more is found, not less.
            return [], usage

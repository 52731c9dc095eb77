"""The kinds of nodes, by name. A kind is one class in one file; to add one, add a file, a line here and a test file."""

from collections.abc import Mapping
from typing import Any

from app.workflow.contracts.node import Node, NodeConfig
from app.workflow.failures import GraphInvalid
from app.workflow.nodes.agent import AgentNode
from app.workflow.nodes.answer import Answer
from app.workflow.nodes.assigner import Assigner
from app.workflow.nodes.code import Code
from app.workflow.nodes.container_starts import IterationStart, LoopEnd, LoopStart
from app.workflow.nodes.document_extractor import DocumentExtractor
from app.workflow.nodes.end import End
from app.workflow.nodes.http_request import HttpRequestNode
from app.workflow.nodes.human_input import HumanInput
from app.workflow.nodes.if_else import IfElse
from app.workflow.nodes.iteration import Iteration
from app.workflow.nodes.knowledge_retrieval import KnowledgeRetrieval
from app.workflow.nodes.list_operator import ListOperator
from app.workflow.nodes.llm import Llm
from app.workflow.nodes.loop import Loop
from app.workflow.nodes.parameter_extractor import ParameterExtractor
from app.workflow.nodes.question_classifier import QuestionClassifier
from app.workflow.nodes.start import Start
from app.workflow.nodes.template_transform import TemplateTransform
from app.workflow.nodes.tool import ToolNode
from app.workflow.nodes.variable_aggregator import OldVariableAggregator, VariableAggregator

_KINDS: Mapping[str, type[Node]] = {
    kind.kind: kind
    for kind in (
        AgentNode,
        Answer,
        Assigner,
        Code,
        DocumentExtractor,
        End,
        HttpRequestNode,
        HumanInput,
        IfElse,
        Iteration,
        IterationStart,
        KnowledgeRetrieval,
        ListOperator,
        Llm,
        Loop,
        LoopEnd,
        LoopStart,
        OldVariableAggregator,
        ParameterExtractor,
        QuestionClassifier,
        Start,
        TemplateTransform,
        ToolNode,
        VariableAggregator,
    )
}
# Kinds of app files that belong to what is not served, by the beginnings of their names.
_NOT_SERVED: Mapping[str, str] = {
    "trigger": "apps are begun by their end users alone, replace it by a start node",
    "datasource": "knowledge pipelines are not run here, add documents by `datasets add`",
    "knowledge-index": "knowledge pipelines are not run here, add documents by `datasets add`",
}


def node_of(node_id: str, kind: str, data: Mapping[str, Any]) -> Node:
    """Return the node that an app file's `data` describes, checked. Raises GraphInvalid."""
    if kind not in _KINDS:
        title = data.get("title") or node_id
        if kind.startswith(tuple(_NOT_SERVED)):
            why = next(reason for beginning, reason in _NOT_SERVED.items() if kind.startswith(beginning))
            raise GraphInvalid(f"node {title!r}: nodes of the type {kind!r} are not served: {why}")
        raise GraphInvalid(
            f"node {title!r}: the node type {kind!r} is unknown; known types are {', '.join(sorted(_KINDS))}"
        )
    return _KINDS[kind](node_id, data)


def config_of(kind: str) -> type[NodeConfig] | None:
    """Return the model of what a kind of node reads of its `data`; None for an unknown kind."""
    return _KINDS[kind].Config if kind in _KINDS else None

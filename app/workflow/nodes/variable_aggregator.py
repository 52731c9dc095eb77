"""`variable-aggregator`: the first variable that exists, from several branches (contract dsl.md §3.7)."""

from collections.abc import Collection, Sequence
from typing import Any

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.values.variables import MISSING, Selector, Variables


class Group(ConfigPart):
    """One group of variables; its name is the name of its output."""

    group_name: str
    variables: list[tuple[str, ...]] = []


class AdvancedSettings(ConfigPart):
    """The groups, which count only if `group_enabled`."""

    group_enabled: bool = False
    groups: list[Group] = []


class AggregatorConfig(NodeConfig):
    """The configuration of a variable aggregator."""

    variables: list[tuple[str, ...]] = []
    advanced_settings: AdvancedSettings = AdvancedSettings()


class VariableAggregator(Node):
    """Outputs the first variable that exists as `output`, or one for each group. Skipped branches have no variables."""

    kind = "variable-aggregator"
    Config = AggregatorConfig

    def is_authored(self, authored: Collection[str]) -> bool:
        settings = self.config.advanced_settings
        lists = [group.variables for group in settings.groups] if settings.group_enabled else [self.config.variables]
        return all(selector[0] in authored for selectors in lists for selector in selectors)

    def run(self, context: NodeContext) -> Result:
        advanced = self.config.advanced_settings
        if not advanced.group_enabled:
            outputs = _first(self.config.variables, context.variables)
            return Result(outputs, inputs=outputs)
        outputs = {}
        for group in advanced.groups:
            found = _first(group.variables, context.variables)
            if found:
                outputs[group.group_name] = found
        return Result(outputs, inputs=outputs)


class OldVariableAggregator(VariableAggregator):
    """The same node under its name in app files of version 0.1.x, which its events keep."""

    kind = "variable-assigner"


def _first(selectors: Sequence[Selector], variables: Variables) -> dict[str, Any]:
    for selector in selectors:
        value = variables.get(selector)
        if value is not MISSING:
            return {"output": value}
    return {}

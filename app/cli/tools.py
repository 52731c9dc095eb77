"""`flask tools …`: show and test the tools that apps may use."""

import dataclasses

import click

from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_json, print_table
from app.services.process.tool_registry import tool_registry
from app.tools.registry import ListedTool

SHOWN_TEXT = 80

tools_group = OperatorGroup(
    "tools", help="Show and test the tools that apps may use: built-in ones, and those of TOOLS_FILE."
)


@tools_group.command("list")
@as_json_option
def list_tools(as_json: bool) -> None:
    """List all tools by provider; tool servers are asked for theirs."""
    listed = list(tool_registry().listed())
    if as_json:
        print_json([dataclasses.asdict(tool) for tool in listed])
        return
    rows = [
        (tool.provider, tool.name or "-", tool.problem or tool.text.partition("\n")[0][:SHOWN_TEXT]) for tool in listed
    ]
    print_table(("PROVIDER", "TOOL", "WHAT IT DOES"), rows)


@tools_group.command("check")
@as_json_option
def check_tools(as_json: bool) -> None:
    """Ask every provider of TOOLS_FILE for its tools; the exit code is 1 if one does not answer."""
    listed = list(tool_registry().listed())
    results = [_result(provider, listed) for provider in dict.fromkeys(tool.provider for tool in listed)]
    if as_json:
        print_json(results)
    else:
        for result in results:
            click.echo(f"{result['provider']}: {result['problem'] or str(result['tools']) + ' tools'}")
    if any(result["problem"] for result in results):
        raise click.exceptions.Exit(1)


def _result(provider: str, listed: list[ListedTool]) -> dict[str, str | int | None]:
    own = [tool for tool in listed if tool.provider == provider]
    problem = next((tool.problem for tool in own if tool.problem), None)
    return {"provider": provider, "tools": 0 if problem else len(own), "problem": problem}

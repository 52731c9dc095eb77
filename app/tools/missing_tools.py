"""Say what an operator has to set up for a tool that app files name and that is not there."""

from app.tools.builtin.web_search import NAMES
from app.tools.tool_types import ToolChoice

_SEARCH = '`search: {searxng: {url: "http://127.0.0.1:8888"}}` or `search: {tavily: {key: $TAVILY_API_KEY}}`'


def is_search(choice: ToolChoice) -> bool:
    """Whether a tool searches the Web, by its name or its provider's."""
    called = {name.rpartition("/")[2] for name in (choice.provider, choice.provider_name)}
    return any(choice.name in tools and (provider in called or "_" in choice.name) for provider, tools in NAMES.items())


def what_to_add(choice: ToolChoice, search_problem: str = "") -> str:
    """Return a sentence with the lines of TOOLS_FILE that would set the tool up.

    `search_problem`: why the search engine that is set up cannot be used; empty where none is set up.
    """
    provider = choice.provider_name or choice.provider or "NAME"
    if is_search(choice):
        return f"Web search cannot be used: {search_problem}." if search_problem else f"Add to TOOLS_FILE: {_SEARCH}."
    name = f"{{provider: {quoted(choice.provider or provider)}, tool: {quoted(choice.name)}"
    if choice.provider_type == "workflow":
        return (
            f"It calls another app: import that app with `--code {choice.name}`, or add to TOOLS_FILE:"
            f" `names: [{name}, use: {{app: ITS_CODE}}}}]`."
        )
    if choice.provider_type == "api":
        return f"Add to TOOLS_FILE: `providers: {{{quoted(provider)}: {{openapi: {{description: FILE_OR_URL}}}}}}`."
    if choice.provider_type == "mcp":
        return f'Add to TOOLS_FILE: `providers: {{{quoted(provider)}: {{mcp: {{url: "https://HOST/mcp"}}}}}}`.'
    return (
        "Add a provider that has such a tool (an OpenAPI service or an MCP server) to TOOLS_FILE, and"
        f" `names: [{name}, use: {{provider: YOURS, tool: ITS_NAME}}}}]`."
    )


def quoted(name: str) -> str:
    """Return a name as YAML takes it inside of braces."""
    plain = name.replace("_", "").replace("-", "").replace("/", "")
    return name if plain.isascii() and plain.isalnum() and not name[0].isdigit() else f"'{name}'"

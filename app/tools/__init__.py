"""Tools that agents and tool nodes call: built-in ones, MCP servers, OpenAPI services."""

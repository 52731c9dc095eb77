"""Agents: models that call tools, round after round, until they can answer."""

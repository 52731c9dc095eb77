"""Asks models on behalf of nodes: prompts, calls, and reading the answers."""

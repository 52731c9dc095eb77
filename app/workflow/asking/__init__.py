"""Asking models: prompts, calls, and reading what they answer."""

"""Servers, stacks, visitors and graphs that the tests share."""

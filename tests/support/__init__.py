"""Servers, stacks, end users and graphs that the tests share."""

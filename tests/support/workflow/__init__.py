"""Graphs and worlds for the tests of the engine and its nodes."""

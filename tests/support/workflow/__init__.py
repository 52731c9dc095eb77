"""Graphs, and the services that their nodes use, for the tests of the engine and its nodes."""

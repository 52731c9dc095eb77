"""The workflow engine runs the graphs of apps and emits typed events (contract dsl.md §3).

A pure library: it imports no web framework, database or queue; what nodes use comes as arguments (`contracts/`).
"""

"""The workflow engine: a graph in, typed events out. A pure library: no web, no database, no queue (contract dsl.md §3)."""

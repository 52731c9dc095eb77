"""Searching datasets: search terms, segments, metadata conditions, ranking."""

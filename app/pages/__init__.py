"""Serve the pages that people see. No queries, commits or model calls in this package."""

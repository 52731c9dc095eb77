"""Serve the pages that people see. Each room has its own blueprint; no queries, commits or model calls in here."""

"""Requests to addresses that others name, behind one guard."""

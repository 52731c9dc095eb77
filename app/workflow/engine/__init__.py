"""Runs graphs: frames, branches, retries, error strategies, streamed text."""

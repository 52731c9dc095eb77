"""What operators are told of conversations, messages, feedback, workflow runs and usage. Nothing here writes.

Each list is narrowed by a `ReportScope` and goes on behind the last row of its page, so that every page costs the same.
"""

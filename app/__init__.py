"""Frontdesk: serves published AI apps over the public Web API.

Importing this package loads nothing: gunicorn reads its settings from here before gevent has patched anything.
"""

VERSION = "0.1.0"

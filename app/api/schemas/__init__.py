"""Shapes of bodies and queries, by pydantic: they validate requests, serialise responses and make the document.

The docstring of a shape is its description in the OpenAPI document, which must equal the specification.
"""

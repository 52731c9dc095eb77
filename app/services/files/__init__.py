"""Uploaded, remote and generated files: kinds, signed links, contents."""

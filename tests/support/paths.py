"""Folders that tests refer to."""

import pathlib

PROJECT = pathlib.Path(__file__).parents[2]

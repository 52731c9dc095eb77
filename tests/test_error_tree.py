"""The drawing at the head of `app/errors` shows every error there, under the error that it is a kind of."""

import re

from app import errors


def drawn_parents() -> dict[str, str]:
    """Return the parent of each drawn error, by name; the depth is where its branch begins."""
    path, parents = ["AppError"], {}
    for line in (errors.__doc__ or "").splitlines():
        branch = re.search(r"[├└]── (?!\()", line)
        if branch is None:
            continue
        depth = (branch.start() - 4) // 4 + 1
        names = re.findall(r"\b[A-Z][A-Za-z]+\b", line[branch.end() :])
        parents |= {name: path[depth - 1] for name in names}
        path[depth:] = names[-1:]
    return parents


def kinds_of(error: type[errors.AppError]) -> dict[str, str]:
    """Return the parent of each error of the module `app.errors`, by name."""
    parents = {}
    for kind in error.__subclasses__():
        if kind.__module__ == errors.__name__:
            parents[kind.__name__] = error.__name__
        parents |= kinds_of(kind)
    return parents


def test_the_drawing_of_the_error_tree_is_whole():
    assert drawn_parents() == kinds_of(errors.AppError)

"""Joins the modules that a page needs into one, at start: a browser asks once for what are some eighty files.

The modules keep to a plain style, which the tests hold them to: imports and exports by name, one statement each, no
module that needs itself. Each becomes a function that is called once and returns what it exports; the page's first
module follows as it is. Modules that are imported when they are needed are part of it, too, unless they are libraries
or texts: these need no other module.
"""

import posixpath
import re

_IMPORT = re.compile(r'^import\s+(?:\{([^}]*)\}\s+from\s+)?"(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_PASSED_ON = re.compile(r'^export\s+\{([^}]*)\}\s+from\s+"(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|class|const) (\w+)", re.MULTILINE)
_LATER = re.compile(r'\bimport\("(\.{1,2}/[^"]+)"\)')


class Bundler:
    """Makes bundles of modules. `sources`: their texts by path."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources
        self._numbers = {name: number for number, name in enumerate(sorted(sources))}

    def bundle(self, entry: str) -> str:
        """Return one module that does what `entry` does. Raises ValueError where a module needs itself."""
        order: list[str] = []
        roots = [entry]
        for root in roots:
            self._visit(root, order, ())
            roots += [name for name in self._later(order) if name not in roots]
        order.remove(entry)
        return "".join([*(self._as_function(name) for name in order), self._body(entry)[0]])

    def _visit(self, name: str, order: list[str], above: tuple[str, ...]) -> None:
        """Put a module behind all that it imports."""
        if name in above:
            raise ValueError(f"{name} needs itself: {' > '.join((*above, name))}")
        if name in order:
            return
        source = self._sources[name]
        for target in [found[1] for found in (*_IMPORT.findall(source), *_PASSED_ON.findall(source))]:
            self._visit(_resolve(name, target), order, (*above, name))
        order.append(name)

    def _later(self, order: list[str]) -> list[str]:
        """Return the modules that those of a bundle import when they need them."""
        targets = [_resolve(name, path) for name in order for path in _LATER.findall(self._sources[name])]
        return [target for target in targets if target in self._sources and target not in order]

    def _as_function(self, name: str) -> str:
        body, exports = self._body(name)
        return f"const {self._variable(name)} = (() => {{\n{body}return {{ {', '.join(exports)} }};\n}})();\n"

    def _body(self, name: str) -> tuple[str, list[str]]:
        """Return a module's text with its imports taken from the bundle, and its exports as members of an object."""
        source = self._sources[name]
        exports = [found[1] for found in _EXPORT.findall(source)]
        for names, target in _PASSED_ON.findall(source):
            where = self._variable(_resolve(name, target))
            exports += [f"{outer}: {where}.{inner}" for inner, outer in _pairs(names)]
        text = _IMPORT.sub(lambda found: self._taken(name, found), _PASSED_ON.sub("", source))
        text = _EXPORT.sub(r"\1 \2", text)
        return _LATER.sub(lambda found: self._later_taken(name, found[1]), text), exports

    def _taken(self, name: str, found: re.Match[str]) -> str:
        if found[1] is None:
            return ""
        members = ", ".join(inner if inner == outer else f"{inner}: {outer}" for inner, outer in _pairs(found[1]))
        return f"const {{ {members} }} = {self._variable(_resolve(name, found[2]))};\n"

    def _later_taken(self, name: str, path: str) -> str:
        target = _resolve(name, path)
        # What is no module of ours keeps its address: a bundle lies as deep as the modules do.
        return f"Promise.resolve({self._variable(target)})" if target in self._sources else f'import("../{target}")'

    def _variable(self, name: str) -> str:
        return f"$m{self._numbers[name]}"


def _resolve(module: str, target: str) -> str:
    """Return the path that a relative import leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(module), target))


def _pairs(names: str) -> list[tuple[str, str]]:
    """Return (name there, name here) for each of `a, b as c`."""
    parts = [name.split(" as ") for name in names.replace("\n", " ").split(",") if name.strip()]
    return [(part[0].strip(), part[-1].strip()) for part in parts]

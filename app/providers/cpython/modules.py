"""Load the modules that code may import, for processes that can open no file.

Modules that are often used, and all that are machine code, are imported at once. The others' code is kept in shared
memory, which a fork does not copy, and is run when it is imported.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.resources
import importlib.util
import io
import marshal
import mmap
import os
import pathlib
import sys
import sysconfig
import types
import warnings
import zoneinfo
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

# What code nodes import most, and what these import late.
COMMON = (
    *("abc", "ast", "base64", "bisect", "calendar", "codecs", "collections.abc", "concurrent.futures"),
    *("contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "email.utils"),
    *("encodings.idna", "enum", "fractions", "functools", "gzip", "hashlib", "heapq", "hmac", "html"),
    *("html.entities", "html.parser", "http.client", "inspect", "io", "itertools", "json", "locale", "logging"),
    *("math", "operator", "pathlib", "pprint", "queue", "random", "re", "secrets", "statistics", "string"),
    *("stringprep", "struct", "textwrap", "threading", "time", "traceback", "types", "typing", "unicodedata"),
    *("urllib.error", "urllib.parse", "urllib.request", "uuid", "xml.etree.ElementTree", "zlib", "zoneinfo"),
    *("_pydecimal", "_strptime"),
)
# Parts of packages that are for tests and builds; importing their machine code may run programs.
_LEFT_OUT_PARTS = frozenset({"test", "tests", "f2py", "distutils", "conftest", "__main__", "__pycache__"})
_LEFT_OUT_EXTENSIONS = ("_test", "_xx", "xx", "_ctypes", "_curses", "_tkinter", "readline", "_posixsubprocess")
LARGEST_RESOURCE = 1 << 20
# Where the store keeps time zones.
ZONES = "/zones"


class ModuleStore(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds modules whose code is in memory; has their packages' data files too."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[bool, bool, str]] = {}
        self._files: dict[str, tuple[int, int]] = {}
        self._memory: mmap.mmap | None = None

    def fill(self, roots: Mapping[str, pathlib.Path], resources: Collection[str]) -> None:
        """Take in the modules at `roots`, name → file or folder, and the data files of those in `resources`."""
        memory = os.memfd_create("modules")
        try:
            size = 0
            for root, path in roots.items():
                for file in _files(path):
                    content = self._content(root, path, file, root in resources)
                    if content:
                        size = self._write(memory, str(file), content, size)
            for key, content in _zones():
                size = self._write(memory, f"{ZONES}/{key}", content, size)
            # Private: a process that makes its pages writable writes into copies of its own.
            self._memory = mmap.mmap(memory, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
        finally:
            os.close(memory)

    def _write(self, memory: int, path: str, content: bytes, place: int) -> int:
        """Append a file's content; return the place of the next one."""
        self._files[path] = (place, len(content))
        return place + os.write(memory, content)

    def names(self, folder: str) -> set[str]:
        """Return the paths of all files below a folder, seen from there."""
        return {path.removeprefix(f"{folder}/") for path in self._files if path.startswith(f"{folder}/")}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self._places:
            return None
        is_package, _, file = self._places[name]
        spec = importlib.util.spec_from_loader(name, self, origin=file, is_package=is_package)
        if spec is not None and is_package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        return spec

    def get_code(self, fullname: str) -> types.CodeType | None:
        _, is_compiled, file = self._places[fullname]
        content = self.get_data(file)
        # The head of a compiled file is sixteen bytes.
        return marshal.loads(content[16:]) if is_compiled else compile(content, file, "exec", dont_inherit=True)

    def get_source(self, fullname: str) -> str | None:
        return None

    def is_package(self, fullname: str) -> bool:
        return self._places[fullname][0]

    def get_data(self, path: str) -> bytes:
        """Return a file's content. Raises FileNotFoundError."""
        place = self._files.get(path)
        if place is None or self._memory is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self._memory[place[0] : place[0] + place[1]]

    def _content(self, root: str, path: pathlib.Path, file: pathlib.Path, with_resources: bool) -> bytes | None:
        if file.suffix != ".py":
            small = with_resources and file.suffix != ".so" and file.stat().st_size <= LARGEST_RESOURCE
            return file.read_bytes() if small else None
        parts = [root, *file.relative_to(path).with_suffix("").parts] if path.is_dir() else [root]
        is_package = parts[-1] == "__init__"
        compiled = pathlib.Path(importlib.util.cache_from_source(str(file)))
        is_compiled = compiled.is_file() and compiled.stat().st_mtime >= file.stat().st_mtime
        self._places[".".join(parts[:-1] if is_package else parts)] = is_package, is_compiled, str(file)
        return (compiled if is_compiled else file).read_bytes()


def load(packages: Collection[str], missing: Collection[str]) -> ModuleStore:
    """Import what is common and all machine code; return the store of all other modules, which finds them from now on.

    `packages`: names of installed packages that code may import; one that is not installed is left out. `missing`:
    modules of the standard library that are left out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in COMMON:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        for name in _standard_extensions():
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        standard = pathlib.Path(sysconfig.get_path("stdlib"))
        roots = {name: standard / name for name in sys.stdlib_module_names if name not in missing}
        before = set(sys.modules)
        for package in packages:
            _import_package(package)
        # What the packages need comes along: modules of theirs may be imported late.
        needed = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
        roots |= {name: place for name in needed | set(packages) if (place := _place_of(name)) is not None}
        store = ModuleStore()
        store.fill(
            {name: found for name, path in roots.items() for found in _alternatives(path) if found.exists()},
            needed,
        )
    sys.meta_path.append(store)
    _keep_zones(store)
    return store


def forget(names: Collection[str], store: ModuleStore) -> None:
    """Leave the store as the only place of modules that are not loaded; `names` and their parts can't be imported."""
    for name in list(sys.modules):
        if name.partition(".")[0] in names:
            del sys.modules[name]
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, store]


def _zones() -> Iterator[tuple[str, bytes]]:
    """Yield the time zones of the machine, or of the package `tzdata`."""
    for key in sorted(zoneinfo.available_timezones()):
        place = next((path for path in (pathlib.Path(root, key) for root in zoneinfo.TZPATH) if path.is_file()), None)
        if place is not None:
            yield key, place.read_bytes()
        else:
            package, _, name = f"tzdata.zoneinfo/{key}".replace("/", ".").rpartition(".")
            yield key, importlib.resources.files(package).joinpath(name).read_bytes()


def _keep_zones(store: ModuleStore) -> None:
    """Let `zoneinfo` read time zones from the store."""

    def read(key: str) -> io.BytesIO:
        try:
            return io.BytesIO(store.get_data(f"{ZONES}/{key}"))
        except FileNotFoundError:
            raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}") from None

    # Any: the type stubs leave these parts out.
    common: Any = importlib.import_module("zoneinfo._common")
    public: Any = zoneinfo
    common.load_tzdata = read
    public.available_timezones = lambda: store.names(ZONES)


def _files(path: pathlib.Path) -> Iterator[pathlib.Path]:
    if path.is_file():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if name not in _LEFT_OUT_PARTS and "." not in name]
        yield from (pathlib.Path(folder, name) for name in files if name.removesuffix(".py") not in _LEFT_OUT_PARTS)


def _alternatives(path: pathlib.Path) -> tuple[pathlib.Path, ...]:
    return path, path.with_suffix(".py")


def _standard_extensions() -> Iterator[str]:
    folder = sysconfig.get_config_var("DESTSHARED")
    for file in sorted(pathlib.Path(folder or "/nowhere").glob("*.so")):
        name = file.name.partition(".")[0]
        if not name.startswith(_LEFT_OUT_EXTENSIONS):
            yield name


def _import_package(package: str) -> None:
    """Import a package and its parts that are machine code."""
    with contextlib.suppress(ImportError):
        importlib.import_module(package)
        place = _place_of(package)
        if place is None or not place.is_dir():
            return
        for file in _files(place):
            if file.suffix == ".so":
                parts = [*file.relative_to(place).parts[:-1], file.name.partition(".")[0]]
                with contextlib.suppress(ImportError):
                    importlib.import_module(".".join([package, *parts]))


def _place_of(package: str) -> pathlib.Path | None:
    module = sys.modules.get(package)
    file = getattr(module, "__file__", None)
    if file is None:
        return None
    path = pathlib.Path(file)
    return path.parent if path.name == "__init__.py" else path

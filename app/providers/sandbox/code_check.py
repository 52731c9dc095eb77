"""Check the source of code nodes before it runs: which interpreter runs it, and what in it cannot run."""

import ast
import functools
import importlib.util
import re
import sys
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.providers.confinement import suffices
from app.providers.confinement.probe import offered_fences
from app.providers.sandbox import monty_language

MONTY, CPYTHON, QUICKJS = "monty", "cpython", "quickjs"
# Packages that code may import although they are not of the standard library.
GIVEN_PACKAGES = frozenset({"requests"})
# Modules of the standard library that the sandbox leaves out: they reach the system, a screen, or Python's own tests.
MISSING_MODULES = frozenset(
    {"antigravity", "ctypes", "curses", "ensurepip", "idlelib", "lib2to3", "pty", "readline", "test", "this"}
    | {"tkinter", "turtle", "turtledemo", "venv"}
)
TOO_FEW_FENCES = (
    "Python of this kind needs a sandbox of its own, for which this host offers too few defences: system-call filters, "
    "and Landlock or namespaces."
)
PARSER_MEMORY = 64 * 1024 * 1024
PARSER_STACK = 256 * 1024
# What code that tries an import catches.
_IMPORT_FAILURES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_PLACE = re.compile(r"<input>:(\d+)")


@dataclass(frozen=True)
class CodeProblem:
    """Something that cannot run; `text` is a sentence for the app's author. `line` counts from 1; None: no one line."""

    line: int | None
    text: str


@dataclass(frozen=True)
class CodeCheck:
    """The interpreter that runs a source (`monty`, `cpython`, `quickjs`), "" for none; what in it will fail."""

    interpreter: str
    problems: tuple[CodeProblem, ...] = ()


def check_code(language: str, source: str, packages: Collection[str]) -> CodeCheck:
    """Check a code node's source, which is parsed and never run.

    `language`: as code nodes name it, `python3` or `javascript`. `packages`: what CODE_PACKAGES names.
    """
    if language == "python3":
        tree = _parsed(source)
        if isinstance(tree, CodeProblem):
            return CodeCheck("", (tree,))
        problems = list(_python_problems(tree, packages))
        interpreter = python_interpreter(source)
        if interpreter == CPYTHON and not suffices(offered_fences()):
            problems.append(CodeProblem(None, TOO_FEW_FENCES))
        return CodeCheck(interpreter, tuple(problems))
    if language == "javascript":
        problem = _javascript_problem(source)
        return CodeCheck("", (problem,)) if problem else CodeCheck(QUICKJS)
    return CodeCheck("", (CodeProblem(None, f"Code in {language!r} is not supported: use python3 or javascript."),))


@functools.lru_cache(maxsize=512)
def python_interpreter(source: str) -> str:
    """Return which interpreter runs a Python source: always the same one for the same source.

    Monty, which takes less than a millisecond, where it does all that the source uses as CPython does; else CPython,
    which also tells what is wrong with a source that cannot be parsed.
    """
    tree = _parsed(source)
    return MONTY if isinstance(tree, ast.Module) and monty_language.runs(tree) else CPYTHON


def _parsed(source: str) -> ast.Module | CodeProblem:
    try:
        with warnings.catch_warnings():
            # Such as an escape that is not one: it runs.
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as error:
        return CodeProblem(error.lineno, f"{type(error).__name__}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return CodeProblem(None, f"The code cannot be read: {error or 'it is nested too deeply'}.")


def _python_problems(tree: ast.Module, packages: Collection[str]) -> Iterator[CodeProblem]:
    for line, name in sorted(_imports(tree)):
        problem = _import_problem(name, packages)
        if problem:
            yield CodeProblem(line, problem)
    if not any(_defines_main(node) for node in ast.walk(tree)):
        yield CodeProblem(None, "It has no function `main`.")


def _import_problem(name: str, packages: Collection[str]) -> str:
    if name in packages:
        if _is_installed(name):
            return ""
        return f"It imports {name!r}, which CODE_PACKAGES names, but which is not installed beside Frontdesk."
    if name in MISSING_MODULES:
        return f"It imports {name!r}, which the sandbox does not have."
    if name in sys.stdlib_module_names or name in GIVEN_PACKAGES:
        return ""
    return f"It imports {name!r}, which is not among the packages for code: install it and name it in CODE_PACKAGES."


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the lines and top-level names of a program's imports; not those whose failure it handles."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name.partition(".")[0]) for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module.partition(".")[0]
            case ast.Try(handlers=handlers) if any(map(_handles_imports, handlers)):
                left += [*handlers, *node.orelse, *node.finalbody]
                continue
        left += ast.iter_child_nodes(node)


def _handles_imports(handler: ast.ExceptHandler) -> bool:
    named = {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)} if handler.type else set()
    return handler.type is None or bool(named & _IMPORT_FAILURES)


def _defines_main(node: ast.AST) -> bool:
    match node:
        case ast.FunctionDef(name="main") | ast.AsyncFunctionDef(name="main") | ast.ClassDef(name="main"):
            return True
        case ast.Name(id="main", ctx=ast.Store()) | ast.alias(asname="main") | ast.alias(name="main" | "*"):
            return True
    return False


def _javascript_problem(source: str) -> CodeProblem | None:
    # Imported here: a process that checks no JavaScript needs no interpreter of it.
    import quickjs

    context = quickjs.Context()
    context.set_memory_limit(PARSER_MEMORY)
    context.set_max_stack_size(PARSER_STACK)
    context.set("source", source)
    try:
        # The function is made and not called: the source is parsed alone.
        context.eval("new Function(source); 1")
    except (quickjs.JSException, ValueError) as error:
        text = str(error)
        place = _PLACE.search(text)
        # The function's head is two lines; an interpreter that ran out of stack names line 1.
        line = int(place[1]) - 2 if place else 0
        return CodeProblem(line if line > 0 else None, text.partition("\n")[0])
    return None

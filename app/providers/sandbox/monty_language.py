"""Tell whether Monty runs a Python program as CPython does: the part of the language in which the two are alike.

All that is not listed here is CPython's. Left out are what Monty lacks and where it is known to differ: regular
expressions, `round`, dates, the order of sets.
"""

import ast
from collections.abc import Iterator, Sequence

_SYNTAX = (
    *(ast.Module, ast.FunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.Return, ast.Global, ast.Nonlocal, ast.Pass),
    *(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.Expr, ast.Name, ast.Constant, ast.expr_context),
    *(ast.For, ast.While, ast.If, ast.IfExp, ast.Break, ast.Continue, ast.Try, ast.ExceptHandler, ast.Raise),
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
    *(ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.JoinedStr, ast.FormattedValue),
    *(ast.Dict, ast.List, ast.Tuple, ast.ListComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
    *(ast.Import, ast.ImportFrom, ast.alias),
)
_NOT_SYNTAX = (ast.MatMult,)
_MODULES = {
    "json": frozenset({"loads", "dumps", "JSONDecodeError"}),
    "math": frozenset({"ceil", "floor", "sqrt", "pi", "e", "inf", "isnan", "isinf", "gcd", "trunc", "fabs", "pow"}),
    "typing": frozenset({"Any", "Callable", "Dict", "Iterable", "List", "Literal", "Optional", "Tuple", "Union"}),
}
# Of texts, then of lists and objects.
_METHODS = frozenset(
    {"capitalize", "count", "endswith", "find", "index", "isalpha", "isdigit", "isspace", "join", "lower", "lstrip"}
    | {"partition", "removeprefix", "removesuffix", "replace", "rfind", "rpartition", "rsplit", "rstrip", "split"}
    | {"splitlines", "startswith", "strip", "title", "upper", "zfill", "ljust", "rjust", "center"}
    | {
        "append",
        "extend",
        "insert",
        "pop",
        "remove",
        "reverse",
        "sort",
        "copy",
        "clear",
        "get",
        "items",
        "keys",
        "values",
        "setdefault",
    }
    | {"update"}
)
_EXCEPTIONS = frozenset(
    {"Exception", "ValueError", "KeyError", "IndexError", "TypeError", "ZeroDivisionError", "AttributeError"}
    | {"RuntimeError"}
)
_BUILTINS = _EXCEPTIONS | frozenset(
    {"abs", "all", "any", "bool", "dict", "divmod", "enumerate", "filter", "float", "int", "isinstance", "len", "list"}
    | {"map", "max", "min", "print", "range", "reversed", "sorted", "str", "sum", "tuple", "zip", "ord", "chr", "pow"}
    | {"object"}
)
# Monty refuses some 200 levels; each `elif` is one, and each sign in a sum.
DEEPEST = 100
_KEYWORDS = frozenset({"key", "reverse", "indent", "ensure_ascii", "sort_keys", "sep", "end", "start", "default"})


def runs(tree: ast.Module) -> bool:
    """Return whether all that a program uses is among what Monty does as CPython does."""
    if _is_deep(tree):
        return False
    own = set(_own_names(tree))
    # The two tell differently what is wrong with a JSON text.
    if any(map(_names_loads, ast.walk(tree))) and any(map(_names_failure, ast.walk(tree))):
        return False
    consumed = {id(value) for node in ast.walk(tree) for value in _consumed(node)}
    if any(_is_lazy(node) and id(node) not in consumed for node in ast.walk(tree)):
        return False
    return all(_is_alike(node, own) for node in ast.walk(tree))


def _is_deep(tree: ast.Module) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return bool(level)


def _is_alike(node: ast.AST, own: set[str]) -> bool:
    if not isinstance(node, _SYNTAX) or isinstance(node, _NOT_SYNTAX):
        return False
    match node:
        case ast.FunctionDef(decorator_list=decorators):
            return not decorators
        case ast.Constant(value=value):
            return value is None or isinstance(value, str | int | float)
        case ast.Name(id=name):
            return name in own or name in _BUILTINS or name == "json"
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in _MODULES:
            return attribute in _MODULES[name]
        case ast.Attribute(attr=attribute):
            return attribute in _METHODS
        case ast.Call(func=ast.Name(id=name), args=args) if name in _EXCEPTIONS:
            return len(args) < 2
        case ast.Call(func=function, keywords=keywords):
            called = isinstance(function, ast.Name) and function.id in own
            return called or all(keyword.arg in _KEYWORDS for keyword in keywords)
        case ast.Import(names=names):
            return all(name.name in _MODULES and name.asname is None for name in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            known = _MODULES.get(module or "", frozenset())
            return level == 0 and all(name.name in known and name.asname is None for name in names)
    return True


def _names_loads(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="loads") | ast.alias(name="loads"):
            return True
    return False


def _names_failure(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler) and node.name is not None


def _is_lazy(node: ast.AST) -> bool:
    """Return whether a value is made only as it is read: Monty makes a list at once, which a program could return."""
    match node:
        case ast.GeneratorExp() | ast.Call(func=ast.Name(id="map" | "filter" | "zip" | "reversed" | "enumerate")):
            return True
    return False


def _consumed(node: ast.AST) -> Sequence[ast.AST]:
    """Return the parts of a node whose values are read where they stand."""
    match node:
        case ast.Call(args=args):
            return args
        case ast.For(iter=value) | ast.comprehension(iter=value) | ast.Starred(value=value):
            return (value,)
    return ()


def _own_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name
            case ast.alias(name=name, asname=given):
                yield given or name.partition(".")[0]

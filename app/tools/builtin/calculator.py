"""The provider `calculator`, also called `maths`: arithmetic in the sandbox."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.providers.cancellation import Cancellation
from app.tools.builtin.builtin_tool import BuiltinProvider, provider, tool
from app.tools.tool_types import ToolFailed

if TYPE_CHECKING:
    from app.providers.sandbox import Sandbox


def calculator_provider(sandbox: Callable[[], "Sandbox"]) -> BuiltinProvider:
    """Return the provider; `sandbox` is called when an expression is evaluated."""
    return provider(
        "🧮",
        *(
            tool(
                name,
                "Evaluates an arithmetic expression: + - * / // % **, parentheses, "
                "sqrt, abs, round, min, max, log, exp, sin, cos, tan, pi, e.",
                {"en_US": "Calculator", "zh_Hans": "计算器"},
                lambda arguments, seconds, cancellation: _calculate(sandbox(), arguments, seconds, cancellation),
                ("expression",),
                expression=("string", "For example (3 + 4) * 2.5"),
            )
            for name in ("calculator", "eval_expression")
        ),
    )


def _calculate(sandbox: "Sandbox", arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    # Imported here with the sandbox: web processes list tools and call none.
    from app.tools.arithmetic import ArithmeticFailed, evaluate

    try:
        return evaluate(arguments["expression"], sandbox, seconds, cancellation)
    except ArithmeticFailed as failure:
        raise ToolFailed(str(failure)) from None

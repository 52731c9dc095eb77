"""Check Jinja2 templates without rendering them."""

from dataclasses import dataclass

import jinja2
import jinja2.sandbox


@dataclass(frozen=True)
class TemplateProblem:
    """What is wrong with a template. `line` counts from 1, None where it is not known."""

    line: int | None
    text: str


def check_template(source: str) -> TemplateProblem | None:
    """Return the first thing that is wrong with a template: its syntax, or a filter or test that does not exist."""
    # Without the optimizer, which computes constant expressions, of any size.
    environment = jinja2.sandbox.SandboxedEnvironment(autoescape=False, optimized=False)
    try:
        environment.compile(source)
    except jinja2.TemplateSyntaxError as error:
        return TemplateProblem(error.lineno, error.message or "it cannot be read")
    except (RecursionError, MemoryError, OverflowError):
        return TemplateProblem(None, "it is nested too deeply")
    except SyntaxError as error:
        return TemplateProblem(None, error.msg)
    return None

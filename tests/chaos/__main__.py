"""Break the product while people use it: `make chaos [SEED=…] [SECONDS=…]`. Exit code 1 where anything went wrong."""

import argparse
import pathlib
import secrets
import sys
import tempfile

from tests.chaos.apps import import_apps
from tests.chaos.chaos_stack import ChaosStack
from tests.chaos.disk import enter_namespaces
from tests.chaos.run import Run, report
from tests.support.stack import stop_on_signals

SECONDS = 180.0
CALLERS = 12


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=None, help="of the schedule and the questions; without it a new one"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for which faults happen")
    parser.add_argument("--callers", type=int, default=CALLERS)
    parser.add_argument("--logs", action="store_true", help="print the end of every process's log")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    enter_namespaces("tests.chaos")
    stop_on_signals()
    seed = secrets.randbelow(100_000) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        stack = ChaosStack(pathlib.Path(folder))
        with stack:
            run = Run(stack, import_apps(stack), seed, options.seconds, options.callers)
            outcome = run.run()
            if options.logs:
                print(stack.logs())
    print(report(outcome, run.impossible))
    print(f"seed {seed}; the same again: make chaos SEED={seed} SECONDS={options.seconds:g}")
    sys.exit(not outcome.is_good)


if __name__ == "__main__":
    main()

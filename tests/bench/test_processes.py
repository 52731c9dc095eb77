"""The figures of a measurement: every process counts in one tree."""

import subprocess
import sys

from tests.bench.processes import difference, measure

BURN = "import time\nwhile time.process_time() < 0.4: pass\nprint(flush=True)\ninput()"
# A parent of its own: this process has other children, whose ends would count as its own work.
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {BURN!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(child.pid, flush=True)
child.stdout.readline()
print(flush=True)
input()
child.communicate()
"""


def test_a_child_measured_by_itself_does_not_count_for_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    try:
        trees = {"child": [int(parent.stdout.readline())], "parent": [parent.pid]}
        before = measure(trees)
        parent.stdout.readline()
        used = difference(before, measure(trees))
    finally:
        parent.communicate("\n")

    assert used["child"] >= 0.3
    assert used["parent"] < 0.2

"""The figures of a measurement: every process counts in one tree."""

import os
import subprocess
import sys

from tests.bench.processes import difference, measure

BURN = "import time\nwhile time.process_time() < 0.4: pass\nprint(flush=True)\ninput()"


def test_a_child_measured_by_itself_does_not_count_for_its_parent() -> None:
    child = subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    trees = {"child": [child.pid], "parent": [os.getpid()]}
    try:
        before = measure(trees)
        assert child.stdout is not None
        child.stdout.readline()
        used = difference(before, measure(trees))
    finally:
        child.communicate()

    assert used["child"] >= 0.3
    assert used["parent"] < 0.2

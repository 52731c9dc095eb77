"""Measure calls of code nodes in the sandbox, warm, and what one visitor's long codes cost another one.

python -m tests.bench.code [--calls 200] [--packages numpy,pandas]
"""

import argparse
import contextlib
import os
import statistics
import threading
import time

import psutil

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.sandbox import Sandbox
from app.providers.sandbox.code_check import check_code
from app.providers.work_owner import WorkOwner

CODES = {
    "plain": ("python3", "def main(a):\n    return {'b': [a + n for n in range(10)]}"),
    "json": ("python3", "import json\ndef main(a):\n    return {'b': json.loads(json.dumps({'a': a}))}"),
    "regular expression": ("python3", "import re\ndef main(a):\n    return {'b': re.sub('a', 'b', 'banana')}"),
    "date and time": ("python3", "from datetime import datetime\ndef main(a):\n    return {'b': str(datetime.now())}"),
    "classes": ("python3", "class A:\n    x = 1\nclass B(A):\n    pass\ndef main(a):\n    return {'b': B.x}"),
    "script": ("javascript", "function main({a}) { return {b: a} }"),
}


def measure(sandbox: Sandbox, language: str, code: str, calls: int, pause: float = 0.0) -> list[float]:
    """Return the milliseconds of each call, some seconds apart; the first one is not counted."""
    times = []
    for _ in range(calls + 1):
        time.sleep(pause)
        began = time.perf_counter()
        sandbox.run_code(language, code, {"a": 1}, 10.0, Cancellation())
        times.append((time.perf_counter() - began) * 1000)
    return times[1:]


def measure_beside_long_ones(sandbox: Sandbox, calls: int) -> list[float]:
    """Return the milliseconds of short calls of one visitor while another one has twenty that do not end."""
    cancellation = Cancellation()
    endless = "import os\ndef main():\n    while True:\n        pass"

    def run_long() -> None:
        with contextlib.suppress(Cancelled):
            sandbox.owned_by(WorkOwner("app", "one")).run_code("python3", endless, {}, 600.0, cancellation)

    threads = [threading.Thread(target=run_long) for _ in range(20)]
    for thread in threads:
        thread.start()
    other = sandbox.owned_by(WorkOwner("app", "other"))
    times = []
    for number in range(calls):
        language, code = CODES[("plain", "classes", "script")[number % 3]]
        began = time.perf_counter()
        other.run_code(language, code, {"a": 1}, 10.0, Cancellation())
        times.append((time.perf_counter() - began) * 1000)
    cancellation.cancel()
    for thread in threads:
        thread.join()
    return times


def show(name: str, times: list[float]) -> None:
    times = sorted(times)
    print(
        f"{name:<36} p50 {statistics.median(times):7.2f} ms   p95 {times[int(len(times) * 0.95)]:7.2f} ms"
        f"   most {times[-1]:7.2f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--packages", default="")
    wanted = parser.parse_args()
    sandbox = Sandbox([name for name in wanted.packages.split(",") if name])
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}; cores: {os.cpu_count()}")
    began = time.perf_counter()
    print(f"fences: {', '.join(sorted(sandbox.fences()))}; first start {time.perf_counter() - began:.2f} s")
    for name, (language, code) in CODES.items():
        interpreter = check_code(language, code, ()).interpreter
        show(f"{name} ({interpreter})", measure(sandbox, language, code, wanted.calls))
        show(f"{name}, 50 ms apart", measure(sandbox, language, code, wanted.calls // 4, 0.05))
    show("short ones beside 20 endless ones", measure_beside_long_ones(sandbox, wanted.calls // 2))
    sizes = [f"{child.name()} {child.memory_info().rss >> 20}" for child in psutil.Process().children(recursive=True)]
    print(f"processes, MiB: {', '.join(sizes)}")
    sandbox.close()


if __name__ == "__main__":
    main()

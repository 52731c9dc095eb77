"""Two hosts of everything, one of which is cut off for 20 s under callers: `make chaos-hosts`.

Each host has web, worker, housekeeping, a Redis with its Sentinel, and a PostgreSQL; between them are the callers, the
model and a third Sentinel. When the first host is cut off, Sentinels make the second Redis the primary, and the run
does what a manager of a PostgreSQL cluster does: it ends the old primary and promotes the standby. Exit code 1 where
anything went wrong.
"""

import argparse
import collections
import pathlib
import sys
import tempfile
import threading
import time
from typing import Self

import requests

from tests.chaos.apps import import_apps
from tests.chaos.callers import Caller
from tests.chaos.disk import enter_namespaces
from tests.chaos.ledger import Ledger
from tests.chaos.network import BRIDGE, Network
from tests.chaos.run import Outcome, come_to_rest, report
from tests.support.child import Child
from tests.support.failover_stack import FailoverStack
from tests.support.paths import PROJECT
from tests.support.places import Place
from tests.support.postgres_pair import PostgresPair
from tests.support.redis_group import RedisGroup
from tests.support.stack import stop_on_signals
from tests.support.visitor import wait_until

CALLERS = 12
WEB_PORT, MODEL_PORT = 5001, 8000
BEFORE, NOTICED, CUT, AFTER = 8.0, 3.0, 20.0, 10.0
START_SECONDS = 60
LIMITS = (
    "ADDRESS_CONNECTIONS",
    "ADDRESS_MINUTE_LIMIT",
    "ADDRESS_STREAM_LIMIT",
    "FORM_IP_LIMIT",
    "PASSPORT_IP_LIMIT",
    "VISITOR_MINUTE_LIMIT",
    "VISITOR_STREAM_LIMIT",
)
WORKER = ("celery", "-A", "celery_worker", "worker", "-P", "threads", "--without-gossip", "--without-mingle")


class TwoHosts(FailoverStack):
    """The product on two hosts, whose processes know all addresses and share nothing but the files."""

    def __init__(self, directory: pathlib.Path, network: Network) -> None:
        super().__init__(directory)
        self.network = network
        self.redis = RedisGroup(directory / "redis", [*network.places, BRIDGE])
        self.postgres = PostgresPair(directory / "postgres", network.places)
        self._extra |= {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "OPENAI_BASE_URL": f"http://{BRIDGE.address}:{MODEL_PORT}/v1",
            "PORT": str(WEB_PORT),
            "PING_SECONDS": "2",
            "WORKER_THREADS": "50",
            "FILE_LINK_SECONDS": "86400",
            # Many callers come from one address.
            **dict.fromkeys(LIMITS, "0"),
        }
        self._children: list[Child] = []

    @property
    def web_urls(self) -> list[str]:
        return [f"http://{place.address}:{WEB_PORT}" for place in self.network.places]

    def start(self) -> Self:
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        try:
            self.redis.start()
            self.postgres.start()
            self.start_model()
            self.run("flask", "--app", "wsgi", "db", "upgrade")
            for place in self.network.places:
                self._start_product(place)
            for url in self.web_urls:
                wait_until(lambda url=url: _is_healthy(url), START_SECONDS, f"{url}/health\n{self.logs()}")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for child in self._children:
            child.stop()
        super().stop()

    def start_model(self) -> None:
        options = ("--host", BRIDGE.address, "--port", str(MODEL_PORT))
        self._start(BRIDGE, "model", "tests.support.scripted_model", *options)

    def start_worker(self, queues: str = "generations,housekeeping") -> Child:
        """One more worker, on the second host."""
        return self._start(self.network.places[1], "worker-more", *WORKER, "-n", "more@%h", "-c", "50", "-Q", queues)

    def logs(self) -> str:
        return "\n".join(child.tail() for child in self._children)

    def _start_product(self, place: Place) -> None:
        queues = ("-Q", "generations,housekeeping")
        self._start(place, "web", "gunicorn", "-c", "python:app.web_server", "wsgi:app")
        self._start(place, "worker", *WORKER, "-n", f"worker@{place.address}", "-c", "50", *queues)
        self._start(place, "housekeeping", *WORKER, "-n", f"keeper@{place.address}", "-c", "4", "-Q", "housekeeping")

    def _start(self, place: Place, name: str, module: str, *options: str) -> Child:
        command = [*place.prefix, sys.executable, "-m", module, *options]
        log = self.directory / f"{name}-{place.address}.log"
        child = Child(f"{name} at {place.address}", command, self.env | {"HOST": place.address}, log, PROJECT)
        self._children.append(child)
        return child


def run(stack: TwoHosts, seed: int) -> Outcome:
    """Let callers ask while the first host is cut off and comes back."""
    outcome = Outcome(Ledger(), collections.Counter({"a host cut off for 20 s": 1}))
    codes, began = import_apps(stack), time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:7.2f}  {what}", flush=True)

    callers = [Caller(stack.web_urls, codes, outcome.ledger, seed, number) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    _pass(BEFORE)
    stack.network.cut(1)
    say("the first host is cut off")
    _pass(NOTICED)
    stack.postgres.kill_primary()
    stack.postgres.promote()
    say("the second PostgreSQL is the primary")
    _pass(CUT - NOTICED)
    stack.network.heal(1)
    say("the first host is back")
    _pass(AFTER)
    for caller in callers:
        caller.stop()
    for caller in callers:
        caller.join()
    say("all callers are back; waiting for rest")
    come_to_rest(stack, outcome)
    say("at rest")
    return outcome


def _pass(seconds: float) -> None:
    threading.Event().wait(seconds)


def _is_healthy(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=5).ok
    except requests.RequestException:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the questions")
    parser.add_argument("--logs", action="store_true", help="print the end of every process's log")
    options = parser.parse_args()
    if not enter_namespaces("tests.chaos.two_hosts", "net"):
        sys.exit("Network namespaces cannot be made here: run it as root, or where user namespaces are allowed.")
    stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="hosts-") as folder, TwoHosts(pathlib.Path(folder), Network(2)) as stack:
        outcome = run(stack, options.seed)
        if options.logs:
            print(stack.logs())
    print(report(outcome, {}))
    sys.exit(not outcome.is_good)


if __name__ == "__main__":
    main()

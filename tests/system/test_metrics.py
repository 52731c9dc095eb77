"""/metrics over real processes, some of which are killed while it is read."""

import threading
from collections.abc import Iterator

import pytest
import requests

from app.embedded.ports import ReservedPort
from tests.support.metrics import Series, monotonic, samples_of, value
from tests.support.stack import Stack
from tests.support.visitor import Visitor, wait_until
from tests.system.conftest import METRICS_TOKEN, WORKERS

ANSWERED = "frontdesk_answers_total"


class Scraper:
    """Scrapes the web address and the port of its own in turn until it is left, each as soon as the other is read.

    `scrapes`: what was read. `gone_back`: counters that were lower than the time before.
    """

    def __init__(self, stack: Stack, port: ReservedPort) -> None:
        self._urls = [f"{stack.base_url}/metrics", f"http://127.0.0.1:{port}/metrics"]
        self.scrapes: list[dict[Series, float]] = []
        self.gone_back: list[tuple[Series, float, float]] = []
        self.refused: list[str] = []
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Scraper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(30)

    def now(self) -> dict[Series, float]:
        return self._scrape(self._urls[0])

    def wait_for(self, number: int) -> None:
        """Until so many more scrapes were made."""
        wanted = len(self.scrapes) + number
        wait_until(lambda: len(self.scrapes) >= wanted, 30, "scrapes")

    def _run(self) -> None:
        while not self._left.is_set():
            for url in self._urls:
                try:
                    found = self._scrape(url)
                except requests.RequestException as problem:
                    self.refused.append(f"{url}: {problem}")
                    continue
                before = monotonic(self.scrapes[-1]) if self.scrapes else {}
                self.gone_back += [
                    (series, number, found.get(series, 0))
                    for series, number in before.items()
                    if found.get(series, 0) < number
                ]
                self.scrapes.append(found)

    @staticmethod
    def _scrape(url: str) -> dict[Series, float]:
        answer = requests.get(url, headers={"Authorization": f"Bearer {METRICS_TOKEN}"}, timeout=20)
        answer.raise_for_status()
        return samples_of(answer.text)


@pytest.fixture
def scraper(stack: Stack, metrics_port: ReservedPort) -> Iterator[Scraper]:
    with Scraper(stack, metrics_port) as scraping:
        yield scraping


def test_what_a_killed_worker_counted_stays(stack: Stack, visitor: Visitor, scraper: Scraper, mark: str) -> None:
    visitor.chat("[[chunks:3]]").wait_for_end()
    before = scraper.now()
    stream = visitor.chat(f"{mark} [[chunks:40]][[delay:20]]").wait_for_frames(3)
    holder = stack.worker_of(mark)
    scraper.wait_for(1)
    stack.kill_worker(holder)
    scraper.wait_for(2)
    without = scraper.now()
    stream.wait_for_end()
    wait_until(lambda: value(scraper.now(), ANSWERED) == value(before, ANSWERED) + 1, 20, "the answer in the counts")
    after = scraper.now()

    assert value(before, ANSWERED, app="chat", mode="chat", outcome="succeeded") >= 1
    assert value(before, "frontdesk_tokens_total", endpoint="OPENAI_BASE_URL", model="scripted") > 0
    assert value(before, "frontdesk_first_token_seconds_count", app="chat") >= 1
    assert value(before, "frontdesk_processes", process="worker") == WORKERS
    assert value(before, "frontdesk_processes", process="web") == 2
    assert value(without, "frontdesk_processes", process="worker") == WORKERS - 1
    assert value(after, "frontdesk_take_overs_total") == value(before, "frontdesk_take_overs_total") + 1
    assert value(after, "frontdesk_leases_lost_total") >= value(before, "frontdesk_leases_lost_total") + 1
    assert scraper.gone_back == []

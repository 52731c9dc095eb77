"""Measure how texts that grow are shown: milliseconds a frame for 100,000 characters, in chromium.

python -m tests.bench.rendering [CASE …]
"""

import argparse
import threading

from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from app.pages.visitor import init_app
from tests.pages.visitor.render.conftest import SHOW
from tests.support.browser import running_browser

LETTERS = 100_000
# More than 200 tokens a second bring in a sixtieth of one.
LETTERS_A_FRAME = 40
SENTENCE = "The *quick* fox jumps over the **lazy dog**, reads `code` in [a book](https://e.com/x), and goes on. "
PART = (
    "## Part\n\n" + (SENTENCE + "\n") * 3 + "- one **item**\n- two\n  - nested\n\n```python\ndef f(x):\n"
    "    return {'a': x}  # c\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\n\n"
)
CASES = {
    "an answer of everything": PART,
    "one paragraph": SENTENCE + "\n",
    "one line": SENTENCE,
    "one word": "a",
    "one list": "- item with **bold** text and `code`\n",
    "one block of code": "def f(x): return 'a' + x  # c\n",
    "one table": "| one | **two** | three words here |\n",
    "stars": "*a **b ",
    "brackets": "[",
    "links": "[a](",
    "quotes": "> ",
    "backticks": "a `b ``c ",
    "tags": "<sub>",
    "dollars": "$a ",
    "folds": "<details>\n",
    "fences": "```\n",
}
BEFORE = {"one block of code": "```python\n", "one table": "| a | b | c |\n|---|---|---|\n"}
GROW = """
async ([text, step]) => {
  const view = window.fresh();
  const script = [], layout = [];
  for (let at = step; at < text.length; at += step) {
    const began = performance.now();
    view.update(text.slice(0, at));
    view.flush();
    const shown = performance.now();
    window.paper.getBoundingClientRect();
    layout.push(performance.now() - shown);
    script.push(shown - began);
    if (script.length % 100 === 0) await new Promise((go) => setTimeout(go));
  }
  return [script, layout];
}
"""


def share(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def measure(page: Page, name: str) -> None:
    text = (BEFORE.get(name, "") + CASES[name] * (LETTERS // len(CASES[name]) + 1))[:LETTERS]
    script, layout = page.evaluate(GROW, [text, LETTERS_A_FRAME])
    figures = [share(values, part) for values in (script, layout) for part in (0.5, 0.95)]
    print(f"{name:28}" + "".join(f"{figure:10.2f}" for figure in figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    cases = parser.parse_args().cases
    app = Flask(__name__)
    app.config.update(PAGES="on", PAGES_INDEX="off", PUBLIC_URL="http://127.0.0.1", PAGES_FRAMED_BY=[])
    init_app(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with running_browser() as browser:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.evaluate(SHOW)
        print(f"{'ms a frame':28}{'script p50':>10}{'p95':>10}{'layout p50':>10}{'p95':>10}")
        for name in cases:
            measure(page, name)
    server.shutdown()


if __name__ == "__main__":
    main()

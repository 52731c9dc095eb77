"""A page of this server with nothing in it but the module that shows texts, under the pages' own policy."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

SHOW = """
async () => {
  const { TextView } = await import("/pages/now/render/stream.js");
  const { loadTexts } = await import("/pages/now/core/texts.js");
  await loadTexts("en");
  const styles = document.head.appendChild(document.createElement("link"));
  styles.rel = "stylesheet";
  styles.href = "/pages/now/style/markdown.css";
  window.TextView = TextView;
  window.fresh = () => {
    window.view?.close();
    window.paper?.remove();
    window.paper = document.body.appendChild(document.createElement("div"));
    return (window.view = new TextView(window.paper));
  };
  window.whole = (text, sources = 0) => {
    const view = window.fresh();
    view.cite(sources);
    view.update(text, { done: true });
    view.flush();
    return window.paper.innerHTML;
  };
  window.grown = (text, step) => {
    const view = window.fresh();
    for (let at = step; at < text.length; at += step) {
      view.update(text.slice(0, at));
      view.flush();
    }
    view.update(text, { done: true });
    view.flush();
    return window.paper.innerHTML;
  };
}
"""


@pytest.fixture(scope="module")
def address(browser: Browser, bound_app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, bound_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def paper(browser: Browser, address: str) -> Iterator[Page]:
    """The page. In it `whole(text)` and `grown(text, step)` return the nodes as HTML, `fresh()` an empty view."""
    page = browser.new_page()
    page.goto(f"{address}/")
    page.evaluate(SHOW)
    yield page
    page.close()

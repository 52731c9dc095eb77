"""Formulas and diagrams, by libraries of others where they are installed."""

import pytest

from app.pages.visitor import libraries
from tests.pages.visitor.render.conftest import SHOW

DIAGRAM = "```mermaid\ngraph TD; A[One] --> B[Two]\n```\n"


@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_the_libraries_are_installed(name):
    assert len(libraries.packed_library(name)) > 50_000


def test_a_formula_is_mathml(paper):
    paper.evaluate("whole('So $x^2$ and\\n\\n$$\\n\\\\frac{1}{2}\\n$$')")
    paper.wait_for_selector(".math-block math")
    assert paper.evaluate("paper.querySelectorAll('math').length") == 2
    assert paper.evaluate("paper.querySelector('.math-block math').getAttribute('display')") == "block"


def test_a_wrong_formula_stays_as_it_was_written(paper):
    paper.evaluate("whole('$\\\\frac{1$ and $x$')")
    paper.wait_for_selector("math")
    assert paper.evaluate("paper.querySelector('.math').textContent") == "\\frac{1"


@pytest.mark.parametrize(
    "formula", [r"\href{javascript:ran()}{x}", r"\includegraphics{/api/x}", r"\htmlStyle{color:red}{x}"]
)
def test_a_formula_links_and_loads_nothing(paper, formula):
    paper.evaluate("(formula) => whole('$x$ $' + formula + '$')", formula)
    paper.wait_for_selector("math")
    assert paper.evaluate("paper.querySelectorAll('a, img, [style]').length") == 0


def test_a_diagram_is_a_picture(paper):
    paper.evaluate("(text) => whole(text)", DIAGRAM)
    paper.wait_for_selector("img.diagram")
    assert paper.evaluate("paper.querySelector('img').width") > 20
    assert paper.evaluate("document.querySelector('iframe').getAttribute('sandbox')") == "allow-scripts"


def test_a_diagram_that_cannot_be_drawn_stays_as_it_was_written(paper):
    paper.evaluate("(text) => whole(text)", "```mermaid\nno such diagram\n```\n\n" + DIAGRAM)
    paper.wait_for_selector("img.diagram")
    assert paper.evaluate("paper.querySelectorAll('img').length") == 1


@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_a_library_that_is_not_installed_is_empty(client, monkeypatch, name):
    monkeypatch.setitem(libraries.LIBRARIES, name, ("no-such-package", "x.js"))
    libraries.packed_library.cache_clear()
    response = client.get(f"/pages/now/libraries/{name}")
    libraries.packed_library.cache_clear()
    assert (response.status_code, response.data) == (200, b"")


def test_without_the_libraries_a_text_shows_as_it_was_written(browser, address):
    page = browser.new_page()
    page.route("**/libraries/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(f"{address}/")
    page.evaluate(SHOW)
    page.evaluate("(text) => whole(text)", "So $x^2$.\n\n" + DIAGRAM)
    page.wait_for_selector("code.latex")
    assert page.evaluate("paper.querySelector('.math').textContent") == "x^2"
    assert page.evaluate("paper.querySelector('pre').textContent") == "graph TD; A[One] --> B[Two]\n"
    page.close()


def test_the_frame_of_diagrams_has_no_rights(client):
    response = client.get("/pages/now/libraries/diagram.html")
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert response.headers["Content-Security-Policy"].endswith("sandbox allow-scripts")
    assert client.get("/pages/now/libraries/other.js").status_code == 404

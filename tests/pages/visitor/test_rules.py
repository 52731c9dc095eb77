"""Rules of the pages' modules, asked in a browser: CSV files, input values, the places that a sign-in returns to."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.browser import Visits


@pytest.fixture(scope="module")
def modules(browser, desk):
    """A page that modules can be imported into."""
    visits = Visits(browser, desk.base_url)
    yield visits.open("/webapp-signin")
    visits.close()


def call(page: Page, module: str, function: str, *arguments: Any) -> Any:
    """Call an exported function; a raised error comes back as its code."""
    return page.evaluate(
        """async ([module, name, given]) => {
          const found = await import(`/pages/any/${module}`);
          try { return await found[name](...given); } catch (wrong) { return wrong.code ?? String(wrong); }
        }""",
        [module, function, list(arguments)],
    )


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,b\r\n"x ""y""\nz",2\r\n', [["a", "b"], ['x "y"\nz', "2"]]),
        ("a;b\n1,5;2\n", [["a", "b"], ["1,5", "2"]]),
        ("a\tb\n1\t", [["a", "b"], ["1", ""]]),
        ("\ufeffa\n\n , \n3", [["a"], ["3"]]),
        ("", []),
        ('a\n"b', "quote"),
        ("a\n" * 1002, "rows"),
        ("," * 200, "columns"),
    ],
    ids=["quotes", "semicolons", "tabs", "blanks", "nothing", "open quote", "too long", "too wide"],
)
def test_csv_is_read_as_spreadsheets_write_it(modules, text, rows):
    assert call(modules, "run/csv.js", "parseCsv", text) == rows


def test_no_cell_of_a_result_is_a_formula(modules):
    written = call(modules, "run/csv.js", "writeCsv", [["=1+1", "+1-1", "-2", "@a", ' \t=b"', "|c", "x"]])
    assert written == "\ufeff'=1+1,'+1-1,-2,'@a,\"' \t=b\"\"\",'|c,x\r\n"


@pytest.mark.parametrize(
    ("text", "value"), [("1,5", 1.5), (" 12 ", 12), ("-.5", -0.5), ("٣٫٥", 3.5), ("1e3", 1000), ("", None)]
)
def test_a_number_is_read_in_the_spelling_of_the_visitor(modules, text, value):
    assert call(modules, "forms/input_rules.js", "numberValue", text) == value


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/chat/a?b=c", "/chat/a?b=c"),
        ("https://evil.example/chat/a", None),
        ("//evil.example/a", None),
        ("/\\evil.example/a", None),
        ("javascript:alert(1)", None),
        ("/webapp-signin?redirect_url=/chat/a", None),
        ("/chat/../..//evil.example", None),
    ],
)
def test_a_sign_in_leads_back_to_this_server_alone(modules, given, path):
    query = call(modules, "client/calls.js", "queryText", {"redirect_url": given})
    assert call(modules, "doors/return_address.js", "returnPath", query) == path


def test_inputs_stand_where_the_form_places_them(modules):
    inputs = [{"output_variable_name": name} for name in ("a", "b")]
    parts = call(
        modules, "forms/form_content.js", "contentParts", "x {{#$output.b#}} y {{#$output.c#}}{{#$output.b#}}", inputs
    )
    assert parts == [{"text": "x "}, {"input": inputs[1]}, {"text": " y "}, {"input": inputs[0]}]


QUEUE = """async ({ rows, busy }) => {
  const { BatchQueue } = await import("/pages/any/run/batch_queue.js");
  let running = 0, most = 0, refused = 0;
  const pauses = [];
  const queue = new BatchQueue(Array.from({ length: rows }, () => ({ state: "waiting" })), {
    async run(row) {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
      if (refused < busy) {
        refused += 1;
        throw { status: 429, retryAfter: 0.01, message: "busy" };
      }
      return "fine";
    },
    changed() {},
    paused: (seconds) => pauses.push(seconds),
  });
  await queue.start();
  return { most, states: queue.rows.map((row) => row.state), pauses: pauses.length };
}"""


def test_a_batch_runs_a_few_rows_at_once(modules):
    assert modules.evaluate(QUEUE, {"rows": 8, "busy": 0}) == {"most": 3, "states": ["done"] * 8, "pauses": 0}


def test_a_batch_waits_for_a_busy_server_and_loses_no_row(modules):
    outcome = modules.evaluate(QUEUE, {"rows": 8, "busy": 6})
    assert outcome["states"] == ["done"] * 8
    assert outcome["pauses"] > 0

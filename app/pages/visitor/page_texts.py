"""The HTML of the pages: a frame that shows at once, and the addresses of what fills it."""

import pathlib
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.pages.visitor.assets import AssetTree, bundle_name

TEMPLATES = pathlib.Path(__file__).parent / "templates"
# Runs before anything is painted: it reads the visitor's choice of colours.
EARLY = "core/early.js"
STYLES = ("style/tokens.css", "style/base.css", "style/controls.css")


class PageKind(NamedTuple):
    """A kind of page: its name, its first module, the styles that it adds, and whether other sites may frame it."""

    name: str
    entry: str
    styles: tuple[str, ...] = ()
    framable: bool = False


CHAT_STYLES = ("style/markdown.css", "style/answers.css", "style/forms.css", "style/run.css", "style/chat.css")
RUN_STYLES = ("style/markdown.css", "style/answers.css", "style/forms.css", "style/run.css")
CHAT = PageKind("chat", "chat/main.js", CHAT_STYLES)
SIGN_IN = PageKind("signin", "doors/main.js", ("style/forms.css",))
KINDS = {
    "/chat/<code>": CHAT,
    "/agent/<code>": CHAT,
    "/chatbot/<code>": PageKind("chatbot", "chat/main.js", CHAT_STYLES, framable=True),
    "/completion/<code>": PageKind("completion", "run/completion.js", RUN_STYLES),
    "/workflow/<code>": PageKind("workflow", "run/workflow.js", RUN_STYLES),
    "/form/<token>": PageKind("form", "forms/main.js", ("style/markdown.css", "style/answers.css", "style/forms.css")),
    "/webapp-signin": SIGN_IN,
    "/webapp-signin/check-code": SIGN_IN,
    "/webapp-reset-password": SIGN_IN,
    "/webapp-reset-password/check-code": SIGN_IN,
    "/webapp-reset-password/set-password": SIGN_IN,
}
INDEX_STYLES = ("style/index.css",)


def read_assets(folder: pathlib.Path, beside: str = "") -> AssetTree:
    """Return the assets, with a bundle of modules and one of styles for each kind of page."""
    styles = {(*STYLES, *kind.styles) for kind in KINDS.values()} | {(*STYLES, *INDEX_STYLES)}
    return AssetTree(folder, {kind.entry for kind in KINDS.values()}, styles, beside)


class PageTexts:
    """Makes the HTML of pages from the templates and the addresses of the assets."""

    def __init__(self, tree: AssetTree) -> None:
        self._tree = tree
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def of_kind(self, kind: PageKind) -> str:
        """Return a page whose modules fill it."""
        entry = self._tree.address(bundle_name((kind.entry,)))
        return self.of_template("visitor.html", kind.styles, page=kind.name, entry=entry)

    def of_template(self, template: str, styles: tuple[str, ...] = (), **values: Any) -> str:
        """Return a page of another template, with values for it."""
        shared = {
            "early": self._tree.address(EARLY),
            "icon": self._tree.address("style/icon.svg"),
            "style": self._tree.address(bundle_name((*STYLES, *styles))),
        }
        return self._templates.get_template(template).render(shared | values)

"""Modules that are joined into one."""

import re

import pytest

from app.pages.visitor.bundles import Bundler
from app.pages.visitor.page_texts import KINDS
from app.pages.visitor.routes import STATIC

MODULES = {path.relative_to(STATIC).as_posix(): path.read_text() for path in STATIC.rglob("*.js")}


def test_a_module_takes_what_it_imports_from_the_others():
    bundle = Bundler(
        {
            "a/main.js": 'import { one as first } from "../b/one.js";\nfirst();\n',
            "b/one.js": 'import {\n  two,\n} from "./two.js";\nexport function one() {\n  two();\n}\n',
            "b/two.js": "export const two = () => {};\n",
        }
    ).bundle("a/main.js")
    two, one, main = re.split(r"(?<=\}\)\(\);\n)", bundle)
    assert two == "const $m2 = (() => {\nconst two = () => {};\nreturn { two };\n})();\n"
    assert one == "const $m1 = (() => {\nconst { two } = $m2;\nfunction one() {\n  two();\n}\nreturn { one };\n})();\n"
    assert main == "const { one: first } = $m1;\nfirst();\n"


def test_what_a_module_passes_on_is_an_export_of_its_own():
    bundle = Bundler(
        {"main.js": 'import { a } from "./x.js";\n', "x.js": 'export { b as a } from "./y.js";\n', "y.js": ""}
    ).bundle("main.js")
    assert "return { a: $m2.b };" in bundle


def test_a_module_that_is_imported_later_is_there_and_others_keep_their_address():
    bundle = Bundler(
        {"a/main.js": 'import("./later.js");\nimport("../far/library.js");\n', "a/later.js": "export const x = 1;\n"}
    ).bundle("a/main.js")
    assert bundle.endswith('Promise.resolve($m0);\nimport("../far/library.js");\n')


def test_a_module_that_needs_itself_is_refused():
    sources = {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}
    with pytest.raises(ValueError, match=r"a\.js > b\.js > a\.js"):
        Bundler(sources).bundle("a.js")


def test_nothing_of_a_bundle_is_left_to_import_or_to_export():
    bundler = Bundler({name: text for name, text in MODULES.items() if not name.startswith("texts/")})
    for entry in {kind.entry for kind in KINDS.values()}:
        assert re.findall(r"^(?:import|export)\b.*", bundler.bundle(entry), re.MULTILINE) == []


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("texts/")])
def test_modules_are_short(name):
    assert len(MODULES[name].splitlines()) <= 350


def test_a_room_of_the_pages_holds_at_most_26_files():
    rooms = [path for path in STATIC.rglob("*") if path.is_dir()]
    counts = {room.name: sum(path.is_file() for path in room.iterdir()) for room in rooms}
    assert {room: count for room, count in counts.items() if count > 26} == {}

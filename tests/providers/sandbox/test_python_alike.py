"""Python that the fast interpreter runs gives what CPython gives."""

import json
import textwrap

import pytest

from app.providers.cancellation import Cancellation
from app.providers.sandbox.code_check import MONTY, python_interpreter
from app.providers.sandbox.messages import SandboxFailed
from app.providers.sandbox.python_code import PythonPool

INPUTS = {
    "t": 'A line with "quotes", ümlauts, \U0001f600 and\n tabs\t. ',
    "n": 7,
    "x": 2.675,
    "l": [3, 1, 2, 2.5, -4],
    "o": {"b": 1, "a": [None, True, "x"], "c": {"d": 1.5e300}},
    "rows": [{"name": "Ann", "age": 31}, {"name": "Bob", "age": 27}, {"name": "", "age": 0}],
}
EXPRESSIONS = """
t.upper() + t.lower() + t.title() + t.capitalize()
t.split(), t.split(None, 1), t.split('"'), t.rsplit(" ", 2), t.splitlines(), "a\\r\\nb\\rc".splitlines()
t.strip(), t.lstrip(), t.rstrip(), "xxaxx".strip("x"), "a,b,".split(",")
t.replace("e", "E"), t.replace("e", "", 2), "aaa".replace("", "-")
t.find("quotes"), t.find("no"), t.rfind("a"), t.count("a"), t.index("A")
t.startswith("A"), t.startswith(("x", "A")), t.endswith("x"), "abc".removeprefix("a").removesuffix("c")
t.partition(" "), t.rpartition(" "), "a".zfill(5), "-3".zfill(5), "a".center(6, "*"), "a".ljust(3) + "|", "a".rjust(3)
"".isdigit(), "12".isdigit(), "²".isdigit(), "ab".isalpha(), " ".isspace(), ", ".join(["a", "b"])
len(t), t[0], t[-1], t[2:9:2], t[::-1], t * 2, "a" in t, t < "B", "%s is %d and %.2f" % ("a", 3, 2.5)
f"{n:>5}|{n:05d}|{x:.2f}|{x:e}|{n:,}|{t!r}|{n:x}|{x:.1%}|{1234567.891:,.2f}|{'a':^5}|{o}|{l}|{True}|{None}"
str(x), str(1e16), str(1e-7), str(0.1 + 0.2), str(1.0), str(10 ** 20), str(-0.0), str(True), str(None), str(l), str(o)
int("12"), int(" -7 "), int(3.9), int(-3.9), int("ff", 16), int(True), float("1e3"), float(" 2.5 "), float(3)
n + x, n - x, n * x, n / 2, n // 2, -n // 2, n % 3, -n % 3, x % 1.5, -x % 1.5, n ** 2, 2 ** -1, 2 ** 100, divmod(-7, 2)
n & 3, n | 8, n ^ 1, ~n, n << 3, n >> 1, not n, n and 0, None or 5, 1 < n < 10, n == 7.0, n is None, 3 in l
abs(-n), min(l), max(l), sum(l), sum([0.1] * 10), sorted(l), sorted(l, reverse=True), sorted(["b", "A", "c"], key=len)
min([], default=0), max("abc", key=ord), sum([1, 2], 3), any([0, 1]), all([]), list(reversed(l)), pow(2, 10)
[i * 2 for i in l if i > 0], {k: v for k, v in o.items()}, [(i, j) for i in range(3) for j in "ab"]
list(enumerate("ab", 1)), list(map(str, l)), list(filter(None, [0, 1, ""])), list(range(5, 0, -2)), list(zip(l, "abc"))
[*l, *"ab"], {**o, "z": 1}
o.get("b"), o.get("z"), o.get("z", 5), list(o), list(o.keys()), list(o.values()), list(o.items()), "a" in o, len(o)
json.dumps(o), json.dumps(o, ensure_ascii=False), json.dumps(t), json.dumps(t, ensure_ascii=False)
json.dumps(o, indent=2), json.dumps(o, sort_keys=True), json.dumps({1: 2, None: 3, False: 4}), json.dumps("é</")
json.loads('{"a": [1, 2.0, null, true, "\\\\u00e9"], "a": 3}'), json.loads("1e5"), json.loads(' "x" '), json.loads("[]")
isinstance(n, int), isinstance(True, int), isinstance(t, (int, str)), isinstance(o, dict), isinstance(None, list)
math.ceil(x), math.floor(-x), math.sqrt(16), math.pi, math.trunc(-2.5), math.gcd(12, 18), math.isnan(float("nan"))
[row["name"] or "?" for row in rows], sum(row["age"] for row in rows), sorted(rows, key=lambda row: row["age"])
(lambda a, b=2, *c, **d: [a, b, c, d])(1, 3, 4), [x for x in (1, 2)], (1,) + (2, 3), [1] * 3, [[1, 2], [3]][0][1]
l == [3, 1, 2, 2.5, -4], [1, 2] < [1, 3], "é" == "e\\u0301", 1 == True, "1" == 1, o == {"a": 1}
ord("a"), chr(128512), bool([]), bool("0"), list("abc"), tuple([1]), dict([("a", 1)]), str(n) + t[:1]
"{} {:>4} {a}".replace("{}", "x"), t.strip().strip('."'), "Tab\\there".split("\\t"), r"\\d" + "\\u00fc"
"""
PROGRAMS = [
    "a, *b = l\nr = [a, b]\na, b = b, a\nr.append(a)\nreturn r",
    "r = []\nfor i in range(10):\n    if i % 2:\n        continue\n    if i > 6:\n        break\n    r.append(i)\n"
    "else:\n    r.append('no')\nreturn r",
    "try:\n    json.loads('{')\nexcept ValueError:\n    return 'no JSON'",
    "try:\n    return o['missing']\nexcept KeyError as error:\n    return str(error)\nfinally:\n    n = 1",
    "try:\n    return 1 / 0\nexcept (ValueError, ZeroDivisionError) as error:\n    return str(error)",
    "try:\n    return int('x1')\nexcept ValueError as error:\n    return str(error)",
    "try:\n    return l[99]\nexcept IndexError as error:\n    return str(error)",
    "try:\n    raise ValueError('no')\nexcept Exception as error:\n    return str(error)",
    "def fibonacci(k):\n    return k if k < 2 else fibonacci(k - 1) + fibonacci(k - 2)\nreturn fibonacci(12)",
    "def outer():\n    count = 0\n    def inner():\n        nonlocal count\n        count += 1\n        return count\n"
    "    return [inner(), inner()]\nreturn outer()",
    "r = list(l)\nr.sort()\nr.insert(1, 'x')\nr.extend([1])\nr.remove('x')\nr.reverse()\nr[1:3] = [9]\n"
    "return [r, r.pop(), r.index(9)]",
    "d = dict(o)\nd.update({'z': 1})\nd.setdefault('y', []).append(2)\nd.pop('b')\nd['a'] = d['a'][:1]\nreturn d",
    "groups = {}\nfor row in rows:\n    groups.setdefault(row['age'] > 28, []).append(row['name'])\n"
    "return groups[True]",
    "i = 0\nwhile (i := i + 1) < 5:\n    pass\nreturn i",
    # As deeply nested as the fast interpreter gets it.
    f"return {' + '.join(['n'] * 93)}",
    f"return {'[' * 93}n{']' * 93}",
    "total = 0.0\nfor v in l:\n    total += v\nreturn {'total': total, 'mean': total / len(l)}",
    "return [str(type_) for type_ in (1.5, 'a')]",
    "words = t.lower().split()\ncounts = {}\nfor word in words:\n    counts[word] = counts.get(word, 0) + 1\n"
    "return sorted(counts.items(), key=lambda item: (-item[1], item[0]))",
]
BODIES = [*(f"return [{line}]" for line in EXPRESSIONS.strip().splitlines()), *PROGRAMS]


@pytest.fixture(scope="module")
def monty():
    pool = PythonPool()
    yield pool
    pool.close()


def program(body: str) -> str:
    return f"import json, math\ndef main({', '.join(INPUTS)}):\n{textwrap.indent(body, '    ')}\n"


@pytest.mark.parametrize("body", BODIES)
def test_both_interpreters_agree(monty, body):
    source = program(body)
    assert python_interpreter(source) == MONTY
    names: dict[str, object] = {}
    exec(source, names)
    expected = json.dumps(names["main"](**json.loads(json.dumps(INPUTS))))
    assert json.dumps(monty.run(source, INPUTS, 5.0, Cancellation())) == expected


@pytest.mark.parametrize(
    "value", ["{1: 2, None: 3, 2.5: 4, False: 5}", "(1, (2, 3))", "{'a': (1, None)}", "10 ** 30", "1e400"]
)
def test_values_are_passed_on_as_json(monty, value):
    source = f"def main():\n    return {value}"
    assert json.dumps(monty.run(source, {}, 5.0, Cancellation())) == json.dumps(json.loads(json.dumps(eval(value))))


@pytest.mark.parametrize("value", ["main", "{(1, 2): 3}", "range(3)", "{}.items()"])
def test_what_is_no_json_is_told(monty, value):
    with pytest.raises(SandboxFailed, match="TypeError"):
        monty.run(f"def main():\n    return {value}", {}, 5.0, Cancellation())


def test_json_needs_no_import(monty):
    source = "def main(t):\n    return json.loads(t)[0]\n"
    assert monty.run(source, {"t": "[7]"}, 5.0, Cancellation()) == 7
    with pytest.raises(SandboxFailed, match="line 2"):
        monty.run(source, {"t": "[]"}, 5.0, Cancellation())

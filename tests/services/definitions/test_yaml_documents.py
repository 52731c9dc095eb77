"""Reading and writing YAML within limits."""

import pytest

from app.services.definitions import yaml_documents
from app.services.definitions.yaml_documents import InvalidDocument


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidDocument) as caught:
        yaml_documents.read(content)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_values_are_json():
    assert yaml_documents.read(b"a: [1, 2.5, true, null, text]\nb: {c: 'x'}\n") == {
        "a": [1, 2.5, True, None, "text"],
        "b": {"c": "x"},
    }


def test_a_byte_order_mark_is_no_text():
    assert yaml_documents.read("\ufeffa: é".encode()) == {"a": "é"}


def test_dates_and_equals_signs_stay_texts():
    assert yaml_documents.read(b"a: 2026-06-12\nb: =\nc: 0.6.0") == {"a": "2026-06-12", "b": "=", "c": "0.6.0"}


def test_keys_become_texts():
    assert yaml_documents.read(b"2: a\ntrue: b\nnull: c\n1.5: d") == {"2": "a", "true": "b", "null": "c", "1.5": "d"}


def test_aliases_are_written_out():
    value = yaml_documents.read(b"a: &x {n: 1}\nb: *x")
    assert value == {"a": {"n": 1}, "b": {"n": 1}}
    assert value["a"] is not value["b"]


def test_aliases_may_not_explode():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "aliases" in refusal("\n".join(lines).encode())


def test_an_alias_may_not_hold_itself():
    assert "aliases" in refusal(b"a: &a [*a]")


@pytest.mark.parametrize("content", [b"a: &a {x: 1}\nb:\n  <<: *a", b"a: &a {x: 1}\nb:\n  !!merge k: *a"])
def test_nothing_is_merged(content):
    assert refusal(content)


@pytest.mark.parametrize("depth", [250, 100_000])
@pytest.mark.parametrize("opening, closing", [("[", "]"), ("{a: ", "}")])
def test_a_deep_document_is_refused(depth, opening, closing):
    assert "deeper" in refusal((opening * depth + closing * depth).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"a: [",
        b"a: b: c",
        b"\t- x",
        b"a: !!python/object:os.system {}",
        b"a: !!binary aGk=",
        b"a: !!set {x}",
        b"--- 1\n--- 2",
        b"a: .inf",
        b"a: .nan",
        b"a: !!int x",
        b"? [a]\n: b",
        b"\xff\xfe\x00",
        b"a: 'x\x00y'",
        b'a: "x\\0y"',
        b'"x\\0y": a',
        b"a: " + b"9" * 5000,
    ],
)
def test_what_cannot_be_stored_is_refused(content):
    assert refusal(content)


def test_a_place_is_named():
    assert refusal(b"a: 1\nb: [").startswith("line ")


def test_a_large_file_is_refused():
    assert "10 MB" in refusal(b"#" * (10 * 1024 * 1024 + 1))


def test_what_is_written_reads_the_same():
    value = {"b": ["é 🤖", "0.6.0", "2026-06-12", "yes", "=", "line\nline", ""], "a": {"n": 1.0, "none": None}}
    assert yaml_documents.read(yaml_documents.write(value).encode()) == value

"""Files made of Markdown."""

import io
import json
from collections.abc import Callable

import docx
import openpyxl
import pytest

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.documents.document_texts import extract_text
from app.tools.exports.markdown_blocks import read_markdown
from app.tools.exports.pdf import to_pdf
from app.tools.exports.word import to_docx
from app.tools.tool_types import ToolChoice, ToolFailed, ToolFile
from tests.tools.builtin.calls import call, registry

MARKDOWN = """# Report ü 报告

Some **bold**, *slanted*, `code` and [a link](https://e.example).

- one
  1. first
  2. second
- two

> quoted

| Name | Count |
|------|------:|
| 中文 | 12 |
| =1+1 | 2.5 |

```python
print("hi")
```

---
Привет
"""


def export(tool: str, markdown: str = MARKDOWN, **more: str) -> list[ToolFile]:
    return list(call("bowenliang123/md_exporter/md_exporter", tool, md_text=markdown, **more).files)


TABLE = "|a|b|\n|-|-|\n" + "|1|2|\n" * 200
FILES = ("md_to_docx", "md_to_pdf", "md_to_xlsx", "md_to_csv", "md_to_json", "md_to_html")


@pytest.mark.parametrize("tool", FILES)
def test_making_a_file_ends_with_its_time(tool: str) -> None:
    made = registry().find(ToolChoice("builtin", "md_exporter", tool))
    with pytest.raises(ToolFailed, match="took longer than"):
        made.call({"md_text": TABLE}, 0, Cancellation())


@pytest.mark.parametrize("make", [to_docx, to_pdf])
def test_each_row_and_page_asks_whether_to_go_on(make: Callable[..., bytes]) -> None:
    asked: list[int] = []
    make(read_markdown(TABLE), lambda: asked.append(1))
    assert len(asked) > 200


def test_a_stop_ends_making_a_file() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        registry().find(ToolChoice("builtin", "md_exporter", "md_to_pdf")).call({"md_text": "a"}, 9, cancellation)


@pytest.mark.parametrize(("tool", "part"), [("md_to_csv", "|a|\n|-|\n\n"), ("md_to_codeblock", "```\na\n```\n")])
def test_so_many_files_are_refused(tool: str, part: str) -> None:
    with pytest.raises(ToolFailed, match="more than 50"):
        export(tool, part * 51)


def test_markdown_is_read_from_top_to_bottom() -> None:
    assert [(block.kind, block.mark, block.level, block.quoted) for block in read_markdown(MARKDOWN)] == [
        ("heading", "", 1, 0),
        ("paragraph", "", 0, 0),
        ("item", "•", 1, 0),
        ("item", "1.", 2, 0),
        ("item", "2.", 2, 0),
        ("item", "•", 1, 0),
        ("paragraph", "", 0, 1),
        ("table", "", 0, 0),
        ("code", "", 0, 0),
        ("rule", "", 0, 0),
        ("paragraph", "", 0, 0),
    ]


@pytest.mark.parametrize("fence", ["```markdown", "```md", "```"])
def test_a_fence_around_all_of_it_is_left_out(fence: str) -> None:
    assert [block.kind for block in read_markdown(f"{fence}\n# Title\n```")] == ["heading"]


def test_a_word_document_has_headings_lists_and_tables() -> None:
    (file,) = export("md_to_docx", output_filename="report.docx")
    document = docx.Document(io.BytesIO(file.content))
    assert file.name == "report.docx"
    assert (document.paragraphs[0].text, document.paragraphs[0].style.name) == ("Report ü 报告", "Heading 1")
    assert [run.text for run in document.paragraphs[1].runs if run.bold] == ["bold"]
    assert [cell.text for cell in document.tables[0].rows[1].cells] == ["中文", "12"]


def test_a_pdf_holds_the_words_of_every_script() -> None:
    (file,) = export("md_to_pdf")
    text = extract_text(file.content, "pdf", "", 30, Cancellation())
    assert file.content.startswith(b"%PDF")
    for words in ("Report ü", "报告", "bold", "first", "中文", 'print("hi")'):
        assert words in text


@pytest.mark.parametrize(
    "markdown",
    [
        f"| A |\n|---|\n| {'long ' * 3_000} |",
        "|" + "a|" * 60 + "\n|" + "-|" * 60 + "\n|" + "b|" * 60,
        "x" * 20_000,
        "<b>&amp; <a href='x'>{{#",
        "\x00\x01 \ud83d\ude00 👍🏽",
        "![picture](http://127.0.0.1/x.png)",
    ],
)
@pytest.mark.parametrize("tool", ["md_to_docx", "md_to_pdf", "md_to_html"])
def test_odd_texts_make_files_too(tool: str, markdown: str) -> None:
    assert export(tool, markdown.encode("utf-16", "surrogatepass").decode("utf-16"))[0].content


def test_a_workbook_has_a_sheet_for_each_table_and_no_formula() -> None:
    (file,) = export("md_to_xlsx", f"{MARKDOWN}\n\n| B |\n|---|\n| 007 |\n")
    book = openpyxl.load_workbook(io.BytesIO(file.content))
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert rows == [["Name", "Count"], ["中文", 12], ["=1+1", 2.5]]
    assert book.worksheets[0]["A3"].data_type == "s" and book.worksheets[1]["A2"].value == "007"


def test_tables_become_csv_and_json() -> None:
    (table,) = export("md_to_csv", output_filename="list")
    assert (table.name, table.content.decode("utf-8-sig")) == ("list.csv", "Name,Count\n中文,12\n=1+1,2.5\n")
    assert json.loads(export("md_to_json")[0].content) == [
        {"Name": "中文", "Count": "12"},
        {"Name": "=1+1", "Count": "2.5"},
    ]


def test_pages_markdown_and_code_are_written() -> None:
    page = export("md_to_html", "# T\n<script>x</script>")[0].content.decode()
    assert "<h1>T</h1>" in page and "<script>" not in page
    assert export("md_to_md")[0].content.decode() == MARKDOWN
    (code,) = export("md_to_codeblock")
    assert (code.name, code.content) == ("document.py", b'print("hi")')


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("../../etc/x", "_.._etc_x.md"),
        ("a/b:c", "a_b_c.md"),
        ("报告.md", "报告.md"),
        ("v1.2", "v1.2.md"),
        ("..", "document.md"),
    ],
)
def test_a_file_name_leads_nowhere_else(wanted: str, name: str) -> None:
    assert export("md_to_md", output_filename=wanted)[0].name == name


@pytest.mark.parametrize(
    ("tool", "markdown", "problem"),
    [
        ("md_to_docx", " ", "md_text is empty"),
        ("md_to_xlsx", "no table", "no table"),
        ("md_to_md", "x" * 600_000, "longer"),
    ],
)
def test_what_cannot_be_made_is_told(tool: str, markdown: str, problem: str) -> None:
    with pytest.raises(ToolFailed, match=problem):
        export(tool, markdown)

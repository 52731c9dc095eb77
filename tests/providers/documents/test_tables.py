"""Tables of documents keep their columns, as Markdown."""

import pytest

from app.providers.cancellation import Cancellation
from app.providers.documents.document_texts import extract_passages, extract_text
from app.providers.documents.markdown_tables import markdown_table
from app.providers.documents.open_document_texts import open_document_text
from app.providers.documents.slide_texts import slide_text
from app.providers.documents.word_texts import word_text
from tests.support.documents import open_document, pptx, word, xlsx


def test_bars_and_line_breaks_are_escaped_and_rows_filled_up():
    assert markdown_table([["a|b", "c"], ["1\n 2"], ["", "3", "4"]]).splitlines() == [
        "| a\\|b | c |  |",
        "| --- | --- | --- |",
        "| 1<br>2 |  |  |",
        "|  | 3 | 4 |",
    ]


def test_a_table_without_text_is_none():
    assert markdown_table([["", " "], []]) == ""


class TestWord:
    @staticmethod
    def cell(text="", properties="", more=""):
        return f"<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p>{more}</w:tc>"

    def table(self, *rows):
        lines = "".join(f"<w:tr>{''.join(row)}</w:tr>" for row in rows)
        return f"<w:tbl><w:tblPr/><w:tblGrid/>{lines}</w:tbl>"

    def test_words_in_other_cells_are_another_text(self):
        left = word(self.table([self.cell("a"), self.cell()], [self.cell("b"), self.cell("c")]))
        right = word(self.table([self.cell(), self.cell("a")], [self.cell("b"), self.cell("c")]))
        assert word_text(left, False) == "| a |  |\n| --- | --- |\n| b | c |"
        assert word_text(right, False) == "|  | a |\n| --- | --- |\n| b | c |"

    def test_a_merged_cell_stands_in_each_of_its_places(self):
        document = word(
            self.table(
                [self.cell("wide", '<w:gridSpan w:val="2"/>'), self.cell("tall", '<w:vMerge w:val="restart"/>')],
                [self.cell("a"), self.cell("b"), self.cell("", "<w:vMerge/>")],
            )
        )
        assert word_text(document, False).splitlines()[::2] == ["| wide | wide | tall |", "| a | b | tall |"]

    def test_a_nested_table_keeps_its_columns(self):
        inner = self.table([self.cell("x"), self.cell("y")])
        document = word(self.table([self.cell("a", more=inner), self.cell("b")]))
        assert word_text(document, False).splitlines()[0] == "| a<br>x \\| y | b |"

    def test_the_text_around_is_kept_letter_by_letter(self):
        before = "<w:p><w:r><w:t>5 * 3 &lt;b&gt; &amp; #1</w:t><w:br/><w:t>a_b</w:t></w:r></w:p>"
        deleted = "<w:p><w:del><w:r><w:delText>no</w:delText></w:r></w:del><w:r><w:t>yes</w:t></w:r></w:p>"
        text = word_text(word(before + self.table([self.cell("a")]) + deleted), False)
        assert text == "5 * 3 <b> & #1\na_b\n\n| a |\n| --- |\n\nyes"

    def test_marked_text_has_headings_and_lists(self):
        styles = '<w:style w:styleId="H"><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
        heading = '<w:p><w:pPr><w:pStyle w:val="H"/></w:pPr><w:r><w:t>Head</w:t></w:r></w:p>'
        item = "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p>"
        document = word(heading + item, styles)
        assert (word_text(document, True), word_text(document, False)) == ("## Head\n\n- item", "Head\n\nitem")


class TestPowerPoint:
    @staticmethod
    def cell(text, merged=""):
        return f"<a:tc {merged}><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"

    def test_tables_keep_their_columns(self):
        rows = [[self.cell("a|b"), self.cell("", 'hMerge="1"')], [self.cell(""), self.cell("c")]]
        table = "".join(f"<a:tr>{''.join(row)}</a:tr>" for row in rows)
        title = (
            '<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr>'
            "<p:txBody><a:p><a:r><a:t>Title</a:t></a:r></a:p></p:txBody></p:sp>"
        )
        text = slide_text(pptx(title, f"<p:graphicFrame><a:tbl>{table}</a:tbl></p:graphicFrame>"), True)
        assert text == "## Title\n\n| a\\|b | a\\|b |\n| --- | --- |\n|  | c |"


class TestOpenDocument:
    @staticmethod
    def cell(text, more="", kind="table-cell"):
        return f"<table:{kind} {more}>{f'<text:p>{text}</text:p>' if text else ''}</table:{kind}>"

    def table(self, *rows):
        lines = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
        return f'<table:table table:name="One">{lines}</table:table>'

    def test_tables_keep_their_columns(self):
        wide = self.cell("wide", 'table:number-columns-spanned="2"')
        body = self.table(
            [wide, self.cell("", kind="covered-table-cell"), self.cell("c")], [self.cell(""), self.cell("d")]
        )
        text = open_document_text(open_document("text", f"<text:h>Head</text:h>{body}"), False)
        assert text == "Head\n\n| wide |  | c |\n| --- | --- | --- |\n|  | d |  |"

    def test_a_sheet_is_not_filled_up_with_its_empty_cells(self):
        filling = self.cell("", 'table:number-columns-repeated="16384"')
        rows = self.table([self.cell("a"), self.cell("b", 'table:number-columns-repeated="2"'), filling], [filling])
        text = open_document_text(open_document("spreadsheet", rows), False)
        assert text == "## One\n\n| a | b | b |\n| --- | --- | --- |"

    def test_blanks_are_those_that_are_shown(self):
        body = "<text:p>a\n   b<text:s text:c='3'/>c<text:tab/>d<text:line-break/>e</text:p>"
        assert open_document_text(open_document("text", body), False) == "a b   c\td\ne"


PAGE = b"<h1>5 * 3</h1><table><tr><th>a|b</th><th>c</th></tr><tr><td></td><td>1<br>2</td></tr></table>"


@pytest.mark.parametrize("read", [extract_text, extract_passages])
@pytest.mark.parametrize(
    ("content", "extension", "lines"),
    [
        (PAGE, "html", ["# 5 * 3", "| a\\|b | c |", "| | 1 2 |"]),
        (b"a*b;c\n;#1\n", "csv", ["| a*b | c |", "| | #1 |"]),
        (xlsx(("a*b", "c|d"), ("", "#1")), "xlsx", ["## One", "| a*b | c\\|d |", "| | #1 |"]),
    ],
)
def test_tables_of_other_formats_keep_their_columns(read, content, extension, lines):
    found = read(content, extension, "", 60.0, Cancellation())
    text = found if isinstance(found, str) else found[0].text
    shown = [" ".join(line.split()) for line in text.splitlines() if line and "---" not in line]
    assert shown == lines


@pytest.mark.parametrize(("encoding", "text"), [("gbk", "你好"), ("iso-8859-3", "ĝis"), ("macintosh", "Grüße")])
def test_a_mail_is_read_in_its_own_encoding(encoding, text):
    head = f"Subject: =?utf-8?B?w7w=?=\r\nContent-Type: text/plain; charset={encoding}\r\n\r\n"
    letter = head.encode() + text.encode(encoding)
    assert extract_text(letter, "eml", "", 60.0, Cancellation()).split() == ["Subject:", "ü", text]


def test_the_tables_of_a_mail_that_is_a_page_keep_their_columns():
    text = extract_text(b"Subject: Hi\r\nContent-Type: text/html\r\n\r\n" + PAGE, "eml", "", 60.0, Cancellation())
    assert text.startswith("Subject: Hi\n\n# 5 * 3") and "| a\\|b | c" in text

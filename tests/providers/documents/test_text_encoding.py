"""Bytes to text: marks, declarations, UTF-8, and a guess for the rest."""

import codecs

import pytest

from app.providers.documents.text_encoding import read_text

CHINESE = "你好，世界。今天天气很好，我们去公园散步。"
RUSSIAN = "Привет, мир. Сегодня хорошая погода."


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gbk", CHINESE),
        ("gbk", "产品名称,数量,价格\n苹果,3,5.50\n"),
        ("gbk", "姓名：张三\n电话：13800138000\n"),
        ("gbk", "合同"),
        ("gb18030", "𠮷野家在东京。"),
        ("big5", "你好，世界。今天天氣很好，我們去公園散步。"),
        ("big5", "歡迎光臨我們的網站"),
        ("cp932", "こんにちは、世界。今日は天気がいいので散歩に行きます。"),
        ("cp932", "商品名,数量,価格\nりんご,3,550\n"),
        ("euc_jp", "日本語のテキストファイルです。"),
        ("iso2022_jp", "こんにちは、世界。Hello"),
        ("cp949", "안녕하세요, 세계. 오늘은 날씨가 좋아서 산책을 갑니다."),
        ("euc_kr", "이름: 김철수"),
        ("cp1251", RUSSIAN),
        ("cp1251", "Договор № 5 от 12 мая"),
        ("koi8_r", RUSSIAN),
        ("cp1252", "Grüße aus München: Äpfel, Öl und Übung."),
        ("cp1252", "Le café est très bon, à bientôt à l’hôtel."),
        ("cp1252", "Preis: 5 € – „gut“"),
        ("cp1252", "naïve"),
        ("latin-1", "São Paulo, Brasil – não".replace("–", "-")),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
        ("iso8859_2", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
        ("iso8859_2", "Zażółć gęślą jaźń, proszę bardzo. Dziękuję."),
        ("cp1253", "Καλημέρα κόσμε. Σήμερα ο καιρός είναι καλός."),
        ("iso8859_7", "Καλημέρα κόσμε. Σήμερα ο καιρός είναι καλός."),
        ("tis_620", "สวัสดีชาวโลก วันนี้อากาศดีมาก เราไปเดินเล่นที่สวนสาธารณะ"),
        ("cp1254", "Günaydın dünya. Bugün hava çok güzel."),
        ("cp1255", "שלום עולם. היום מזג האוויר טוב."),
        ("cp1256", "مرحبا بالعالم. الطقس جميل اليوم."),
        ("utf-16-le", "Grüße, мир\nid,name\n"),
        ("utf-16-be", "Hello world"),
        ("utf-16-le", CHINESE),
        ("utf-32-le", "Hello"),
        ("utf-8", "plain, Grüße, 漢字, 🙂"),
        ("ascii", "plain"),
        ("ascii", ""),
    ],
)
def test_without_a_mark_and_a_declaration(encoding, text):
    assert read_text(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_mark_wins_and_is_no_part_of_the_text(mark, encoding):
    assert read_text(mark + "name;größe\n".encode(encoding), "iso-8859-7") == "name;größe\n"


def test_a_mark_that_was_written_twice_is_no_part_of_the_text():
    assert read_text(codecs.BOM_UTF8 * 2 + b"name") == "name"


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("text/plain; charset=windows-1251", "cp1251", "Да"),
        ('text/html; charset="Shift_JIS"', "cp932", "①日本"),
        ("text/plain;charset=gb2312", "gbk", "镕"),
        ("iso-8859-1", "cp1252", "5 € – „gut“"),
        ("text/plain; charset=utf-8", "cp1252", "Grüße aus München"),
        ("text/plain; charset=nonsense", "utf-8", "Grüße"),
        ("text/plain; charset=hex", "utf-8", "00"),
        ("text/plain; charset=punycode", "utf-8", "Hello, world!"),
        ("text/plain; charset=idna", "utf-8", "a..b"),
        ("text/plain; charset=undefined", "utf-8", "Hello"),
        ("text/plain; charset=unicode_escape", "utf-8", r"\x41"),
        ("text/plain", "utf-8", "Grüße"),
    ],
)
def test_a_declared_charset_counts_where_it_fits(declared, encoding, text):
    assert read_text(text.encode(encoding), declared) == text


@pytest.mark.parametrize(
    "head",
    [
        '<?xml version="1.0" encoding="%s"?>',
        '<html><head><meta charset="%s">',
        "<html><head><META http-equiv='Content-Type' content='text/html; charset=%s'>",
        "<html><head><meta name='a'><meta charset=%s>",
    ],
)
def test_markup_declares_its_encoding(head):
    page = head % "windows-1251" + "<p>Да</p>"
    assert read_text(page.encode("cp1251"), markup=True) == page


def test_markup_cannot_declare_a_wide_encoding():
    page = '<meta charset="utf-16"><p>Grüße</p>'
    assert read_text(page.encode(), markup=True) == page


def test_what_came_with_the_bytes_wins_over_what_they_declare():
    page = '<meta charset="windows-1251"><p>Grüße</p>'
    assert read_text(page.encode("latin-1"), "text/html; charset=latin-1", markup=True) == page


def test_a_text_that_was_cut_inside_of_a_character_is_still_one():
    assert read_text("Grüße, 漢".encode()[:-1]) == "Grüße, "
    assert read_text("café".encode("latin-1")) == "café"


def test_what_is_no_text_is_read_too():
    assert len(read_text(bytes(range(256)))) == 256

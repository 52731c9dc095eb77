"""File names in Content-Disposition."""

import pytest

from app.providers.fetch.response_names import announced_name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment", ""),
        ("", ""),
        ("attachment; filename=r.pdf", "r.pdf"),
        ('attachment; filename="a b;c.pdf"', "a b;c.pdf"),
        ("inline; FileName = r.pdf ; size=5", "r.pdf"),
        ("filename=r.pdf", "r.pdf"),
        ("attachment; filename=\"r.pdf\"; filename*=UTF-8''Bericht%20%C3%BC.pdf", "Bericht ü.pdf"),
        ("attachment; filename*=UTF-8'de'Bericht%20%C3%BC.pdf; filename=\"r.pdf\"", "Bericht ü.pdf"),
        ("attachment; filename*=iso-8859-1''%A3.txt", "£.txt"),
        ("attachment; filename*=gbk''%CE%C4.txt", "文.txt"),
        ("attachment; filename*=nonsense''%A3.txt; filename=r.txt", "r.txt"),
        ("attachment; filename*=idna''%A3.txt; filename=r.txt", "r.txt"),
        ("attachment; filename*=punycode''%A3.txt; filename=r.txt", "r.txt"),
        ("attachment; filename*=broken.txt; filename=r.txt", "r.txt"),
        ("attachment; filename*0*=UTF-8''Bericht%20; filename*1=\"%C3.pdf\"", "Bericht %C3.pdf"),
        ('attachment; filename*0="long"; filename*1="er.pdf"', "longer.pdf"),
        ('attachment; filename="Übersicht.pdf"'.encode().decode("latin-1"), "Übersicht.pdf"),
        ('attachment; filename="caf\xe9.pdf"', "café.pdf"),
        ('attachment; filename="=?UTF-8?B?w7wucGRm?="', "ü.pdf"),
        ('attachment; filename="=?nonsense?B?w7wucGRm?="', "=?nonsense?B?w7wucGRm?="),
        (r'attachment; filename="say \"hi\".txt"', 'say "hi".txt'),
        (r'attachment; filename="C:\folder\r.pdf"', "r.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="unclosed.pdf', "unclosed.pdf"),
        ("attachment; filename=first.pdf; filename=second.pdf", "first.pdf"),
    ],
)
def test_names(header, name):
    assert announced_name(header) == name


def test_a_hostile_header_is_read_in_one_pass():
    assert announced_name('attachment; filename="' + '\\"' * 20_000) == ""
    assert announced_name("=" * 20_000 + ";a" * 20_000) == ""

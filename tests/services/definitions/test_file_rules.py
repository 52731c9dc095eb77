"""Which files an app takes, in both spellings (contract dsl.md §3.1)."""

import pytest

from app.services.definitions.file_rules import FileLimits, FileUpload

NEW = {
    "enabled": True,
    "allowed_file_types": ["image", "custom"],
    "allowed_file_extensions": [".XYZ"],
    "allowed_file_upload_methods": ["local_file"],
    "number_limits": 2,
}


def test_the_new_spelling():
    rules = FileUpload.read(NEW).rules
    assert (rules.kinds, rules.extensions, rules.methods, rules.most) == (
        {"image", "custom"},
        {"xyz"},
        {"local_file"},
        2,
    )


def test_the_old_spelling():
    image = {"enabled": True, "number_limits": 5, "detail": "low", "transfer_methods": ["remote_url"]}
    rules = FileUpload.read({"image": image}).rules
    assert (rules.kinds, rules.extensions, rules.methods, rules.most, rules.detail) == (
        {"image"},
        set(),
        {"remote_url"},
        5,
        "low",
    )


@pytest.mark.parametrize(
    "feature", [{}, {"enabled": False}, {"image": {"enabled": False}}, {"image": None}, {"enabled": "true"}]
)
def test_a_feature_that_is_off(feature):
    assert FileUpload.read(feature).rules is None


@pytest.mark.parametrize("number", [None, 0, -1, "x", True])
def test_three_files_where_nothing_sound_is_said(number):
    assert FileUpload.read({"enabled": True, "number_limits": number}).rules.most == 3


@pytest.mark.parametrize(
    ("kind", "extension", "method", "allowed"),
    [
        ("image", "png", "local_file", True),
        ("document", "pdf", "local_file", False),
        ("document", "xyz", "local_file", True),
        ("custom", "xyz", "local_file", True),
        ("custom", "png", "local_file", False),
        ("image", "png", "remote_url", False),
    ],
)
def test_what_is_allowed(kind, extension, method, allowed):
    assert FileUpload.read(NEW).rules.allow(kind, extension, method) is allowed


def test_an_empty_list_allows_nothing_and_none_everything():
    assert not FileLimits.read({"allowed_file_types": []}).field_rules.allow("image", "png", "local_file")
    assert not FileLimits.read({"allowed_file_upload_methods": []}).field_rules.allow("image", "png", "local_file")
    assert FileLimits.read({}).field_rules.allow("custom", "", "remote_url")

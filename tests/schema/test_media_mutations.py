"""Pictures that lie elsewhere, and the order of a product's pictures."""

from types import SimpleNamespace
from typing import Any

import pytest


@pytest.mark.parametrize(
    "url",
    ["https://example.org/1.jpg", "http://example.org/é.jpg?x=1#y", "/static/sample/mug.webp"],
)
def test_an_address_elsewhere_is_stored_as_it_is(
    url: str, mug: SimpleNamespace, mutate: Any
) -> None:
    fields = "media { url small: url(size: SMALL) position width }"
    payload = mutate("mediaCreate", fields, product=mug.id, url=url)
    address = url if url.startswith("http") else f"http://testserver{url}"
    assert payload == {
        "userErrors": [],
        "media": {"url": address, "small": address, "position": 5, "width": None},
    }


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:image/png;base64,AAAA",
        "//example.org/1.jpg",
        "/\\example.org/1.jpg",
        "ftp://example.org/1.jpg",
        "file:///etc/passwd",
        "https://",
        "https://exa mple.org/",
        "https://example.org/\n",
        "https://example.org/\x00",
        "https://[::1",
        "photo.jpg",
        "",
        "https://example.org/" + "x" * 2000,
        "/media/shared/1.jpg",
        "/static/sample/../admin.webp",
        "https://user@example.org/1.jpg",
        "https://user:secret@example.org/1.jpg",
        "https://example.org\\@127.0.0.1/1.jpg",
        "http://localhost/1.jpg",
        "http://LOCALHOST.:8000/1.jpg",
        "http://api.localhost/1.jpg",
        "http://printer.local/1.jpg",
        "http://intranet/1.jpg",
        "http://127.0.0.1/1.jpg",
        "http://127.1/1.jpg",
        "http://2130706433/1.jpg",
        "http://0x7f.0.0.1/1.jpg",
        "http://0.0.0.0/1.jpg",
        "http://10.1.2.3/1.jpg",
        "http://192.168.0.1:8080/1.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/1.jpg",
        "http://[fe80::1]/1.jpg",
        "http://[::ffff:127.0.0.1]/1.jpg",
        "http://１２７.0.0.1/1.jpg",
        "http://%31%32%37.0.0.1/1.jpg",
        "https://example.org:0/1.jpg",
        "https://example.org:99999/1.jpg",
        "https://-.org/1.jpg",
    ],
)
def test_other_addresses_are_refused(url: str, mug: SimpleNamespace, refuse: Any) -> None:
    # No text of the API may have a NUL.
    code = "INVALID" if "\0" in url else "URL_NOT_ALLOWED"
    assert refuse("mediaCreate", product=mug.id, url=url) == (code, ["url"])


def test_neither_file_nor_address_is_refused(mug: SimpleNamespace, refuse: Any) -> None:
    assert refuse("mediaCreate", product=mug.id) == ("REQUIRED", ["file"])


@pytest.mark.parametrize(
    ("mutation", "field", "kind"),
    [
        ("mediaCreate", "product", "Product"),
        ("mediaUpdate", "id", "Media"),
        ("mediaDelete", "id", "Media"),
    ],
)
def test_an_unknown_subject_is_a_user_error(
    mutation: str, field: str, kind: str, refuse: Any, unknown: Any
) -> None:
    extra = {"url": "https://example.org/1.jpg"} if mutation == "mediaCreate" else {}
    assert refuse(mutation, **{field: unknown(kind)}, **extra) == ("NOT_FOUND", [field])


@pytest.mark.parametrize(
    ("moved", "position", "order"),
    [
        (3, 1, "3012"),
        (0, 3, "1203"),
        (0, 4, "1230"),
        (1, 99, "0231"),
        (2, -5, "2013"),
        (1, 2, "0123"),
    ],
)
def test_a_picture_moves_to_its_place(
    moved: int, position: int, order: str, mug: SimpleNamespace, mutate: Any
) -> None:
    payload = mutate("mediaUpdate", "media { position }", id=mug.media[moved], position=position)
    assert payload["media"]["position"] == order.index(str(moved)) + 1
    rows = list(mug.row.media.order_by("position"))
    assert [row.position for row in rows] == [1, 2, 3, 4]
    assert "".join(row.url[-5] for row in rows) == order


def test_null_clears_the_alternative_text_and_is_refused_for_the_place(
    mug: SimpleNamespace, mutate: Any
) -> None:
    fields = "media { alt position }"
    changed = mutate("mediaUpdate", fields, id=mug.media[1], alt="From above")
    assert changed["media"] == {"alt": "From above", "position": 2}
    assert mutate("mediaUpdate", fields, id=mug.media[1]) == changed
    cleared = mutate("mediaUpdate", fields, id=mug.media[1], alt=None)
    assert cleared["media"] == {"alt": "", "position": 2}
    refused = mutate("mediaUpdate", fields, id=mug.media[1], position=None)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [
        ("REQUIRED", ["position"])
    ]

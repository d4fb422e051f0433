"""Pictures through the API: checked by content, drawn in three sizes, cleaned up after."""

import io
import json
import struct
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from graphql_jwt.shortcuts import get_token
from PIL import Image

from shop.actions.catalog import media as actions
from shop.models import Media

CREATE = """mutation($input: MediaCreateInput!) { mediaCreate(input: $input) {
  clientMutationId userErrors { code field }
  media { id alt position width height url small: url(size: SMALL) product { slug } }
} }"""


@pytest.fixture
def upload(client: Any, staff: Any, mug: SimpleNamespace) -> Any:
    """`upload(content)`: the payload of a picture sent to the first product."""

    def send(content: bytes, name: str = "photo.bin", **values: Any) -> dict[str, Any]:
        given = {"product": mug.id, "file": None, **values}
        form = {
            "operations": json.dumps({"query": CREATE, "variables": {"input": given}}),
            "map": json.dumps({"0": ["variables.input.file"]}),
            "0": SimpleUploadedFile(name, content),
        }
        headers = {"Authorization": f"Bearer {get_token(staff)}", "Apollo-Require-Preflight": "1"}
        answer = client.post("/graphql/", form, headers=headers).json()
        assert "errors" not in answer, answer
        return answer["data"]["mediaCreate"]

    return send


def picture(kind: str = "PNG", size: tuple[int, int] = (1600, 800), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 3).save(buffer, kind)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing: what a decompression bomb looks like."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def stored() -> list[str]:
    """Names of all files in the storage, by their endings."""
    if not default_storage.exists("products"):
        return []
    return sorted(default_storage.listdir("products")[1])


@pytest.mark.parametrize(
    ("kind", "mode", "extension"),
    [
        ("JPEG", "RGB", "jpg"),
        ("JPEG", "CMYK", "jpg"),
        ("PNG", "RGBA", "png"),
        ("PNG", "P", "png"),
        ("WEBP", "RGB", "webp"),
        ("GIF", "P", "gif"),
    ],
)
def test_pictures_are_taken_by_content_and_drawn_in_three_sizes(
    kind: str,
    mode: str,
    extension: str,
    upload: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        payload = upload(picture(kind, mode=mode), name="photo.html", alt=" A  mug ")
    assert payload["userErrors"] == []
    row = Media.objects.get(file__gt="")
    assert payload["media"] | {"id": None, "url": None, "small": None} == {
        "id": None,
        "alt": "A mug",
        "position": 5,
        "width": 1600,
        "height": 800,
        "url": None,
        "small": None,
        "product": {"slug": "mug-1"},
    }
    assert row.file.name.endswith(f".{extension}")
    assert payload["media"]["url"] == f"http://testserver/media/{row.file.name}"
    assert payload["media"]["small"] == payload["media"]["url"], "not drawn yet"
    sizes = {}
    for size, name in row.thumbnails.items():
        with default_storage.open(name) as file, Image.open(file) as image:
            sizes[size] = (image.format, image.size)
    assert sizes == {
        "small": ("WEBP", (160, 80)),
        "medium": ("WEBP", (480, 240)),
        "large": ("WEBP", (1200, 600)),
    }


def test_a_small_picture_is_not_blown_up(
    upload: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        upload(picture(size=(200, 100)))
    row = Media.objects.get(file__gt="")
    with default_storage.open(row.thumbnails["large"]) as file, Image.open(file) as image:
        assert image.size == (200, 100)


def test_each_size_has_its_address(
    upload: Any, api: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        created = upload(picture())
    answer = api(
        """query($id: ID!) { node(id: $id) { ... on Media {
          small: url(size: SMALL) medium: url(size: MEDIUM) large: url(size: LARGE)
        } } }""",
        id=created["media"]["id"],
    )
    thumbnails = Media.objects.get(file__gt="").thumbnails
    assert answer["data"]["node"] == {
        size: f"http://testserver/media/{thumbnails[size]}" for size in thumbnails
    }


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (SVG, "FILE_TYPE_NOT_ALLOWED"),
        (b"<!doctype html><script>alert(1)</script>", "FILE_TYPE_NOT_ALLOWED"),
        (b"GIF89a", "FILE_TYPE_NOT_ALLOWED"),
        (b"\xff\xd8\xff\xe0 not a picture", "FILE_TYPE_NOT_ALLOWED"),
        (picture("BMP", (4, 4)), "FILE_TYPE_NOT_ALLOWED"),
        (picture("TIFF", (4, 4)), "FILE_TYPE_NOT_ALLOWED"),
        (picture("PNG")[:60], "FILE_TYPE_NOT_ALLOWED"),
        (b"%PDF-1.7", "FILE_TYPE_NOT_ALLOWED"),
        (png_header(6400, 6400), "FILE_TOO_LARGE"),
        (png_header(12_000, 10_000), "FILE_TOO_LARGE"),
        (png_header(60_000, 60_000), "FILE_TOO_LARGE"),
    ],
)
def test_what_is_no_proper_picture_is_refused(
    content: bytes, code: str, upload: Any, dump: Any
) -> None:
    before = dump()
    payload = upload(content, name="photo.png")
    assert payload["userErrors"] == [{"code": code, "field": ["file"]}]
    assert payload["media"] is None
    assert dump() == before
    assert stored() == []


def test_a_file_with_too_many_bytes_is_refused(upload: Any, dump: Any, settings: Any) -> None:
    content = picture(size=(20, 20))
    settings.UPLOAD_MAX_BYTES = len(content) - 1
    before = dump()
    payload = upload(content)
    assert payload["userErrors"] == [{"code": "FILE_TOO_LARGE", "field": ["file"]}]
    assert (dump(), stored()) == (before, [])


@pytest.mark.parametrize(
    "content", [picture("JPEG")[:-400], picture("WEBP")[:-20]], ids=["JPEG", "WEBP"]
)
def test_a_picture_that_ends_early_is_refused(content: bytes, upload: Any) -> None:
    assert upload(content)["userErrors"] == [{"code": "FILE_TYPE_NOT_ALLOWED", "field": ["file"]}]


@pytest.mark.parametrize(
    "url",
    ["https://example.org/1.jpg", "http://example.org/é.jpg?x=1#y", "/media/shared/1.jpg"],
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
    ],
)
def test_other_addresses_are_refused(url: str, mug: SimpleNamespace, refuse: Any) -> None:
    assert refuse("mediaCreate", product=mug.id, url=url) == ("INVALID", ["url"])


def test_neither_file_nor_address_is_refused(mug: SimpleNamespace, refuse: Any) -> None:
    assert refuse("mediaCreate", product=mug.id) == ("INVALID", ["file"])


def test_both_file_and_address_are_refused(upload: Any) -> None:
    payload = upload(picture(size=(4, 4)), url="https://example.org/1.jpg")
    assert payload["userErrors"] == [{"code": "INVALID", "field": ["file"]}]
    assert stored() == []


def test_a_file_that_is_no_upload_is_a_client_error(
    mug: SimpleNamespace, mutation_error: Any
) -> None:
    assert mutation_error("mediaCreate", product=mug.id, file="/etc/passwd") == "BAD_REQUEST"


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


def test_what_is_left_out_or_null_in_an_update_stays(mug: SimpleNamespace, mutate: Any) -> None:
    fields = "media { alt position }"
    changed = mutate("mediaUpdate", fields, id=mug.media[1], alt="From above")
    assert changed["media"] == {"alt": "From above", "position": 2}
    assert mutate("mediaUpdate", fields, id=mug.media[1], alt=None, position=None) == changed


def test_deleting_a_picture_deletes_its_files_after_the_commit(
    upload: Any, mutate: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        created = upload(picture())
    assert len(stored()) == 4
    with django_capture_on_commit_callbacks(execute=True):
        mutate("mediaDelete", "deletedId", id=created["media"]["id"])
        assert len(stored()) == 4
    assert (stored(), Media.objects.filter(file__gt="").count()) == ([], 0)


def test_deleting_a_product_deletes_its_files(
    mug: SimpleNamespace, upload: Any, mutate: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        upload(picture())
    with django_capture_on_commit_callbacks(execute=True):
        mutate("productDelete", id=mug.id)
    assert stored() == []


def test_drawing_the_sizes_twice_changes_nothing(
    upload: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        upload(picture())
    row, files = Media.objects.get(file__gt=""), stored()
    actions.make_thumbnails(row.pk)
    assert (Media.objects.get(pk=row.pk).thumbnails, stored()) == (row.thumbnails, files)

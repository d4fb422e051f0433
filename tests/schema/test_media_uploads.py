"""Uploaded pictures: checked by content, drawn in three sizes, cleaned up after."""

import io
import json
import struct
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from graphql_jwt.shortcuts import get_token
from PIL import ExifTags, Image

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


def test_a_picture_taken_upright_has_upright_measures(upload: Any) -> None:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (400, 200)).save(buffer, "JPEG", exif=exif)
    upload(buffer.getvalue())
    row = Media.objects.get(file__gt="")
    assert (row.width, row.height) == (200, 400)


def test_an_upload_is_served(upload: Any, client: Any) -> None:
    upload(picture(size=(20, 10)))
    row = Media.objects.get(file__gt="")
    response = client.get(f"/media/{row.file.name}")
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == picture(size=(20, 10))
    assert client.get("/media/products/../shop.sqlite3").status_code == 404


def test_lost_thumbnails_are_drawn_by_a_command(upload: Any) -> None:
    upload(picture(size=(200, 100)))
    assert Media.objects.get(file__gt="").thumbnails == {}
    call_command("make_thumbnails", stdout=io.StringIO())
    assert set(Media.objects.get(file__gt="").thumbnails) == {"small", "medium", "large"}


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


def test_both_file_and_address_are_refused(upload: Any) -> None:
    payload = upload(picture(size=(4, 4)), url="https://example.org/1.jpg")
    assert payload["userErrors"] == [{"code": "INVALID", "field": ["file"]}]
    assert stored() == []


def test_a_file_that_is_no_upload_is_a_client_error(
    mug: SimpleNamespace, mutation_error: Any
) -> None:
    assert mutation_error("mediaCreate", product=mug.id, file="/etc/passwd") == "BAD_REQUEST"


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


@pytest.mark.django_db(transaction=True)
def test_a_file_that_cannot_be_deleted_does_not_fail_the_deletion(
    upload: Any, mutate: Any, monkeypatch: Any, caplog: Any
) -> None:
    def fail(name: str) -> None:
        raise OSError("the bucket does not answer")

    created = upload(picture())
    assert set(Media.objects.get(file__gt="").thumbnails) == {"small", "medium", "large"}
    monkeypatch.setattr(default_storage, "delete", fail)
    payload = mutate("mediaDelete", "deletedId", id=created["media"]["id"])
    assert payload == {"userErrors": [], "deletedId": created["media"]["id"]}
    assert "the bucket does not answer" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_sizes_that_cannot_be_drawn_do_not_fail_the_upload(
    upload: Any, monkeypatch: Any, caplog: Any
) -> None:
    def fail(media_id: int) -> None:
        raise OSError("no memory left")

    monkeypatch.setattr(actions, "make_thumbnails", fail)
    payload = upload(picture())
    assert payload["userErrors"] == []
    assert Media.objects.get(file__gt="").thumbnails == {}
    assert "no memory left" in caplog.text

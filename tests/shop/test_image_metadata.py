"""Metadata of uploaded pictures: what is removed, and what stays as it is."""

import io
import struct
import zlib
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageSequence, PngImagePlugin

from shop.actions.catalog import media
from shop.actions.catalog.image_metadata import stripped
from shop.models import Media

KINDS = ["JPEG", "PNG", "WEBP"]
SECRETS = [b"PhoneMaker", b"XMP SECRET", b"COMMENT SECRET", b"IPTC SECRET"]
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>XMP SECRET</x:xmpmeta>"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def drawing(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Gradients as in photos, another one for each color: no two corners look alike."""
    gradient = Image.linear_gradient("L")
    turned = gradient.transpose(Image.Transpose.ROTATE_90)
    bands = [gradient, turned, Image.radial_gradient("L")]
    return Image.merge("RGB", [band.resize(size) for band in bands])


def photo(kind: str, *, orientation: int = 1, **more: Any) -> bytes:
    """A picture with all that cameras and editors write into one."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "PhoneMaker"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    options = {"exif": exif.tobytes(), "icc_profile": PROFILE, **more}
    if kind == "JPEG":
        options |= {"xmp": XMP, "comment": b"COMMENT SECRET", "quality": 71}
    elif kind == "WEBP":
        options |= {"xmp": XMP, "quality": 71}
    else:
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "COMMENT SECRET")
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = info
    buffer = io.BytesIO()
    drawing().save(buffer, kind, **options)
    data = buffer.getvalue()
    if kind == "JPEG":
        # IPTC in Photoshop's segment, and a second picture behind the first.
        iptc = b"Photoshop 3.0\0" + b"IPTC SECRET"
        data = data[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + data[2:]
        data += data
    return data


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def is_clean(data: bytes) -> bool:
    image = opened(data)
    assert not [secret for secret in SECRETS if secret in data]
    assert not image.getexif()
    assert not {"exif", "xmp", "comment", "Comment"} & image.info.keys()
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_goes_and_pixels_and_profile_stay(kind: str) -> None:
    data = photo(kind)
    assert [secret for secret in SECRETS if secret in data]
    clean = stripped(data, kind)
    assert is_clean(clean)
    assert len(clean) < len(data)
    before, after = opened(data), opened(clean)
    assert after.tobytes() == before.tobytes()
    assert after.info["icc_profile"] == PROFILE
    assert stripped(clean, kind) == clean


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_that_lie_on_their_side_are_turned(kind: str, orientation: int) -> None:
    clean = stripped(photo(kind, orientation=orientation), kind)
    assert is_clean(clean)
    after = opened(clean)
    assert after.info["icc_profile"] == PROFILE
    methods = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
    }  # fmt: skip
    wanted = opened(photo(kind)).convert("RGB").transpose(methods[orientation])
    assert after.size == wanted.size
    # No visible loss: on average less than 2 of 255 steps between a pixel and the original's.
    difference = ImageChops.difference(after.convert("RGB"), wanted).convert("L")
    assert sum(difference.tobytes()) / len(difference.tobytes()) < 2


def test_a_turned_jpeg_keeps_the_quality_of_the_original() -> None:
    data = photo("JPEG", orientation=6)
    before: Any = opened(data)
    after: Any = opened(stripped(data, "JPEG"))
    assert after.quantization == before.quantization


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_animations_keep_their_frames(kind: str) -> None:
    frames = [drawing(), drawing().rotate(180), Image.new("RGB", (64, 32), "green")]
    buffer = io.BytesIO()
    options: dict[str, Any] = {"comment": b"COMMENT SECRET"} if kind == "GIF" else {}
    if kind == "WEBP":
        options = {"xmp": XMP, "exif": b"Exif\0\0PhoneMaker", "lossless": True}
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Comment", "COMMENT SECRET")
    frames[0].save(
        buffer, kind, save_all=True, append_images=frames[1:], duration=70, loop=3, **options
    )
    data = buffer.getvalue()
    assert [secret for secret in SECRETS if secret in data]
    clean = stripped(data, kind)
    assert not [secret for secret in SECRETS if secret in clean]
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(clean))
    assert after.info["loop"] == before.info["loop"]
    pairs = zip(ImageSequence.Iterator(before), ImageSequence.Iterator(after), strict=True)
    shown = [(one.convert("RGB").tobytes(), two.convert("RGB").tobytes()) for one, two in pairs]
    assert len(shown) == 3
    assert all(one == two for one, two in shown)


def test_xmp_in_a_gif_goes() -> None:
    buffer = io.BytesIO()
    drawing().save(buffer, "GIF")
    data = buffer.getvalue()
    # The extension of Adobe's specification: raw text, and a tail that ends as sub-blocks do.
    tail = bytes([1, *range(255, -1, -1), 0])
    block = b"\x21\xff\x0bXMP DataXMP" + XMP + tail
    at = data.index(b"\x2c", 13 + 3 * 2 ** (data[10] % 8 + 1))
    clean = stripped(data[:at] + block + data[at:], "GIF")
    assert not [secret for secret in SECRETS if secret in clean]
    assert opened(clean).convert("RGB").tobytes() == opened(data).convert("RGB").tobytes()


def test_a_broken_png_that_can_be_decoded_is_encoded_again() -> None:
    data = photo("PNG")
    # Without its last chunk: Pillow decodes it all the same.
    clean = stripped(data[: data.index(b"IEND") - 4], "PNG")
    assert is_clean(clean)
    assert opened(clean).tobytes() == opened(data).tobytes()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_stored_originals_have_no_metadata(kind: str, world: Any) -> None:
    upload = ContentFile(photo(kind, orientation=6), name="photo.bin")
    row = media.add_upload(world.products[0], upload)
    with default_storage.open(str(row.file)) as file:
        content = file.read()
    assert is_clean(content)
    assert (row.width, row.height) == opened(content).size == (32, 64)
    media.make_thumbnails(row.pk)
    row = Media.objects.get(pk=row.pk)
    with default_storage.open(row.thumbnails["small"]) as file:
        assert is_clean(file.read())


def test_png_chunks_that_change_the_look_stay() -> None:
    """Transparency of palettes, gamma and resolution."""
    image = drawing().quantize(4)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=bytes([0, 255, 255, 255]), dpi=(300, 300))
    data = buffer.getvalue()
    gamma = struct.pack(">I", 45455)
    chunk = struct.pack(">I", 4) + b"gAMA" + gamma + struct.pack(">I", zlib.crc32(b"gAMA" + gamma))
    data = data[:33] + chunk + data[33:]
    assert stripped(data, "PNG") == data

"""Removes metadata from uploaded pictures: EXIF with its place and camera, XMP, IPTC and comments.

Pixels are copied as they are stored, segment by segment; color profiles and animations stay. Only
where EXIF says that the picture lies on its side are the pixels turned and encoded again.
"""

import io
import struct
from collections.abc import Callable
from typing import Any

from PIL import ExifTags, Image, ImageSequence, JpegImagePlugin

_UPRIGHT = 1
# Operations that turn a picture upright, by its EXIF orientation.
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# JPEG takes over the quality of the original; that of a WebP is not known.
_WEBP_QUALITY = 95
_PNG_CHUNKS = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"bKGD", b"hIST", b"pHYs", b"acTL", b"fcTL", b"fdAT",
}  # fmt: skip
_WEBP_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_WEBP_METADATA_FLAGS = 0x08 | 0x04
_GIF_APPLICATIONS = {b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"}


def stripped(data: bytes, kind: str) -> bytes:
    """The picture without metadata, turned as its EXIF orientation says.

    Args:
        data: a file that Pillow has decoded before.
        kind: Pillow's name of its format: JPEG, PNG, WEBP or GIF.
    """
    with Image.open(io.BytesIO(data), formats=[kind]) as image:
        if orientation_of(image) != _UPRIGHT:
            return _encoded(image, kind)
        try:
            return _STRIP[kind](data)
        except (IndexError, ValueError, struct.error):
            # Pillow decodes some files that break the rules of their format.
            return _encoded(image, kind)


def orientation_of(image: Any) -> int:
    """The EXIF orientation from 1 to 8; 1, upright, where EXIF is missing or broken."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
    except (SyntaxError, ValueError, OSError, struct.error):
        return _UPRIGHT
    return found if found in _TURN else _UPRIGHT


def _encoded(image: Any, kind: str) -> bytes:
    """The picture encoded again, each frame upright, with its color profile and nothing else."""
    options: dict[str, Any] = {"icc_profile": image.info.get("icc_profile"), "exif": b""}
    if kind == "JPEG":
        options |= {
            "qtables": image.quantization,
            "subsampling": JpegImagePlugin.get_sampling(image),
            "progressive": "progressive" in image.info,
            "optimize": True,
        }
    elif kind == "WEBP":
        image.load()
        options |= {"quality": _WEBP_QUALITY, "method": 4}
    orientation = orientation_of(image)
    frames: list[Any] = []
    for frame in ImageSequence.Iterator(image):
        if frames and kind == "JPEG":
            break
        # Only the first frame of a file tells how all of them are turned.
        upright = frame.transpose(_TURN[orientation]) if orientation in _TURN else frame.copy()
        upright.info = {
            key: value for key, value in upright.info.items() if key in ("transparency", "duration")
        }
        frames.append(upright)
    if len(frames) > 1:
        durations = [frame.info.get("duration", 0) for frame in frames]
        options |= {"save_all": True, "append_images": frames[1:], "duration": durations}
        options["loop"] = image.info.get("loop", 0)
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, **options)
    return buffer.getvalue()


def _jpeg(data: bytes) -> bytes:
    """Keeps JFIF, color profiles and Adobe's color transform of the application segments.

    Ends with the first picture: phones append others, with metadata of their own.
    """
    found, at = bytearray(data[:2]), 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        while data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if marker == 0xD9:
            return bytes(found + data[at : at + 2])
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if _keeps_jpeg(marker, data[at + 4 : end]):
            found += data[at:end]
        if marker == 0xDA:
            scan_end = _end_of_scan(data, end)
            found += data[end:scan_end]
            end = scan_end
        at = end


def _keeps_jpeg(marker: int, content: bytes) -> bool:
    if marker == 0xE0:
        return content.startswith(b"JFIF\0")
    if marker == 0xE2:
        return content.startswith(b"ICC_PROFILE\0")
    if marker == 0xEE:
        return content.startswith(b"Adobe")
    return marker != 0xFE and not 0xE0 <= marker <= 0xEF


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next marker is; within a scan FF stands for itself before 00, and restarts."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] not in (0x00, *range(0xD0, 0xD8)):
            return at
        at += 2


def _png(data: bytes) -> bytes:
    found, at = bytearray(data[:8]), 8
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if name in _PNG_CHUNKS:
            found += data[at:end]
        if name == b"IEND":
            return bytes(found)
        at = end


def _webp(data: bytes) -> bytes:
    found, at = bytearray(), 12
    (size,) = struct.unpack_from("<I", data, 4)
    while at + 8 <= min(size + 8, len(data)):
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        if name in _WEBP_CHUNKS:
            chunk = bytearray(data[at:end])
            if name == b"VP8X":
                chunk[8] &= ~_WEBP_METADATA_FLAGS & 0xFF
            found += chunk
        at = end
    return b"RIFF" + struct.pack("<I", len(found) + 4) + b"WEBP" + bytes(found)


def _gif(data: bytes) -> bytes:
    at = 13 + _palette(data[10])
    found = bytearray(data[:at])
    while True:
        start = at
        if data[at] == 0x3B:
            return bytes(found + b"\x3b")
        if data[at] == 0x2C:
            at = _end_of_blocks(data, at + 11 + _palette(data[at + 9]))
            found += data[start:at]
            continue
        if data[at] != 0x21:
            raise ValueError("no block")
        at = _end_of_blocks(data, at + 2)
        label = data[start + 1]
        is_metadata = label == 0xFE or (
            label == 0xFF and data[start + 3 : start + 14] not in _GIF_APPLICATIONS
        )
        if not is_metadata:
            found += data[start:at]


def _palette(flags: int) -> int:
    """The bytes of the color table that follows."""
    return 3 * 2 ** (flags % 8 + 1) if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


_STRIP: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
}

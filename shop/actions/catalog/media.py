"""Pictures of products: uploads checked by content, thumbnails, and remote addresses."""

import io
import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Max
from PIL import Image, ImageOps, UnidentifiedImageError

from shop import events
from shop.actions import audit
from shop.actions.catalog import media_urls
from shop.actions.catalog.derived import lock
from shop.actions.catalog.image_metadata import orientation_of, stripped
from shop.actions.rows import hold
from shop.errors import FileTooLarge, FileTypeNotAllowed
from shop.models import Media, Product, ThumbnailSize
from shop.models.catalog import NAME_LENGTH

# Longest side in pixels.
THUMBNAIL_PIXELS = {ThumbnailSize.SMALL: 160, ThumbnailSize.MEDIUM: 480, ThumbnailSize.LARGE: 1200}
# A picture beyond this would take too much memory to decode, however small its file.
MAX_PIXELS = 40_000_000
_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
_ASIDE = 1_000_000
# EXIF orientations from here on are turned by a quarter.
_SIDEWAYS = 5


def add_upload(product: Product, upload: File, *, alt: str = "") -> Media:
    """Stores an uploaded picture as the last of `product`'s; thumbnails follow after the commit.

    What is stored has no metadata, such as the place where the picture was taken.

    Raises:
        FileTooLarge: more than UPLOAD_MAX_BYTES or MAX_PIXELS.
        FileTypeNotAllowed: the content, whatever the name says, is no JPEG, PNG, WebP or GIF.
    """
    kind, (width, height) = _inspect(upload)
    content = ContentFile(stripped(upload.read(), kind))
    name = default_storage.save(f"products/{uuid.uuid4().hex}.{_EXTENSIONS[kind]}", content)
    try:
        with transaction.atomic():
            media = _append(product, alt, file=name, width=width, height=height)
            events.emit("media.uploaded", media)
            events.emit("product.updated", product)
    except BaseException:
        default_storage.delete(name)
        raise
    return media


@transaction.atomic
def add_url(product: Product, url: str, *, alt: str = "") -> Media:
    """Adds a picture that lies elsewhere; its address is stored and never fetched.

    Raises:
        UrlNotAllowed: as `media_urls.check`.
    """
    media_urls.check(url)
    media = _append(product, alt, url=url)
    events.emit("product.updated", product)
    return media


def check_upload(upload: File) -> None:
    """Raises FileTooLarge or FileTypeNotAllowed, as `add_upload` does."""
    _inspect(upload)


@transaction.atomic
@audit.recorded("media.update")
def update(media: Media, *, alt: str | None = None, position: int | None = None) -> Media:
    """Changes the alternative text, or the place among the product's pictures (from 1)."""
    lock(media.product)
    hold(media)
    if alt is not None:
        media.alt = _clean_alt(alt)
        media.save(update_fields=["alt"])
    if position is not None:
        others = list(
            Media.objects.filter(product=media.product_id).exclude(pk=media.pk).order_by("position")
        )
        others.insert(max(position, 1) - 1, media)
        reorder(media.product, others)
        media.refresh_from_db()
    events.emit("product.updated", media.product)
    return media


def _order(product: Product) -> dict[str, Any]:
    return {"media": product.media.order_by("position").values_list("pk", flat=True)}


@audit.recorded("product.reorder_media", _order)
def reorder(product: Product, in_order: Iterable[Media]) -> None:
    """Numbers the pictures from 1 in this order, inside the caller's transaction."""
    # Aside first: the database checks that no two pictures share a position, row by row.
    rows = Media.objects.filter(product=product)
    rows.order_by("-position").update(position=F("position") + _ASIDE)
    for number, row in enumerate(in_order, start=1):
        rows.filter(pk=row.pk).update(position=number)


@transaction.atomic
@audit.recorded("media.delete")
def delete(media: Media) -> None:
    """Removes the picture; its files go after the commit."""
    lock(media.product)
    hold(media)
    delete_files_after_commit([str(media.file), *media.thumbnails.values()])
    media.delete()
    events.emit("product.updated", media.product)


def make_thumbnails(media_id: int) -> None:
    """Draws the three sizes of an uploaded picture as WebP. Running it again changes nothing."""
    media = Media.objects.filter(pk=media_id).exclude(file="").first()
    if media is None or set(media.thumbnails) == set(THUMBNAIL_PIXELS):
        return
    original = str(media.file)
    with default_storage.open(original) as file, Image.open(file) as image:
        upright = ImageOps.exif_transpose(image).convert("RGBA" if _has_alpha(image) else "RGB")
    stem = original.rsplit(".", 1)[0]
    thumbnails = {}
    for size, pixels in THUMBNAIL_PIXELS.items():
        scaled = upright.copy()
        scaled.thumbnail((pixels, pixels))
        buffer = io.BytesIO()
        scaled.save(buffer, "WEBP", quality=82)
        name = f"{stem}-{size}.webp"
        default_storage.delete(name)
        thumbnails[str(size)] = default_storage.save(name, ContentFile(buffer.getvalue()))
    if not Media.objects.filter(pk=media.pk).update(thumbnails=thumbnails):
        delete_files_after_commit(thumbnails.values())


def delete_files_after_commit(names: Iterable[str]) -> None:
    """Deletes stored files once the transaction that forgot them is committed."""
    stored = [name for name in names if name]

    def delete() -> None:
        for name in stored:
            default_storage.delete(name)

    transaction.on_commit(delete, robust=True)


def _inspect(upload: File) -> tuple[str, tuple[int, int]]:
    if upload.size > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES // 1024
        raise FileTooLarge(f"A picture has at most {limit} KiB.", field=["file"])
    upload.seek(0)
    try:
        with Image.open(upload, formats=list(_EXTENSIONS)) as image:
            kind, size = image.format, image.size
            if size[0] * size[1] > MAX_PIXELS:
                raise FileTooLarge(
                    f"A picture has at most {MAX_PIXELS // 1_000_000} megapixels.", field=["file"]
                )
            image.verify()
        # Verifying looks at the header; a file that ends early shows only when it is decoded.
        upload.seek(0)
        with Image.open(upload, formats=list(_EXTENSIONS)) as image:
            image.load()
            # A camera held upright stores a lying picture and says so.
            if orientation_of(image) >= _SIDEWAYS:
                size = size[::-1]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise FileTypeNotAllowed(field=["file"]) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileTooLarge(field=["file"]) from error
    upload.seek(0)
    # A file of several pictures, as phones make them, is a JPEG with others behind it.
    return "JPEG" if kind == "MPO" else kind or "", size


@audit.recorded("media.create")
def _append(product: Product, alt: str, **fields: object) -> Media:
    lock(product)
    last = Media.objects.filter(product=product).aggregate(last=Max("position"))["last"] or 0
    return Media.objects.create(product=product, position=last + 1, alt=_clean_alt(alt), **fields)


def _clean_alt(alt: str) -> str:
    return " ".join(alt.replace("\x00", "").split())[:NAME_LENGTH]


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info

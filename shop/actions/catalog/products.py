"""Products: create, edit, publish, delete."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop import events
from shop.actions import audit
from shop.actions.catalog import slugs
from shop.actions.catalog import variants as variant_actions
from shop.actions.catalog.derived import lock, refresh
from shop.actions.catalog.html import clean_description
from shop.actions.catalog.media import delete_files_after_commit
from shop.actions.catalog.naming import apply_naming, clean_tax_category
from shop.errors import Invalid, NotPublishable
from shop.input_errors import InputErrors
from shop.models import AttributeValue, Product, ProductAttribute, ProductStatus
from shop.models.catalog import NAME_LENGTH


def facts(product: Product) -> dict[str, Any]:
    """What the audit tells of a product; variants and pictures have entries of their own."""
    links = product.attribute_links.order_by("value_id")
    return {**audit.columns(product), "attribute_values": links.values_list("value_id", flat=True)}


def _whole(product: Product) -> dict[str, Any]:
    """As `facts`, with what goes when the product goes."""
    return {
        **facts(product),
        "variants": product.variants.order_by("position", "pk").values_list("pk", flat=True),
        "media": product.media.order_by("position").values_list("pk", flat=True),
    }


@transaction.atomic
@audit.recorded("product.create", facts)
def create(
    *,
    variants: Sequence[dict[str, Any]] = (),
    attribute_values: Iterable[AttributeValue] = (),
    status: str = ProductStatus.DRAFT,
    **fields: Any,
) -> Product:
    """A new product with its variants.

    Args:
        variants: fields of each variant, as `variants.create` takes them.
        attribute_values: what the product is made of, coloured like, and so on.
        status: a ProductStatus value.
        fields: name (required), slug, description, brand, category, seo_title, seo_description,
            tax_category.

    Raises:
        ShopError: what is wrong with which field; nothing is written.
    """
    product, errors = Product(), InputErrors()
    _set_fields(product, fields, errors)
    prepared = variant_actions.prepare(product, variants, errors, path="variants")
    # A price that is refused is one all the same.
    has_price = any(fields.get("price") is not None for fields in variants)
    with errors.collect():
        _check_status(status, lambda: has_price)
    errors.raise_any()
    slugs.save(product)
    for variant in prepared:
        variant_actions.insert(variant)
    set_attribute_values(product, attribute_values)
    refresh([product.pk])
    product.refresh_from_db()
    _apply_status(product, status)
    events.emit("product.created", product, **_told(product))
    return product


@transaction.atomic
@audit.recorded("product.update", facts)
def update(product: Product, **changes: Any) -> Product:
    """Changes the given fields of `product` and leaves the others as they are.

    Raises:
        ShopError: what is wrong with which field; nothing is written.
    """
    lock(product)
    errors = InputErrors()
    status = changes.pop("status", None)
    attribute_values = changes.pop("attribute_values", None)
    _set_fields(product, changes, errors)
    if status is not None:
        with errors.collect():
            _check_status(status, lambda: _has_price(product))
    errors.raise_any()
    slugs.save(product)
    if attribute_values is not None:
        set_attribute_values(product, attribute_values)
    refresh([product.pk])
    product.refresh_from_db()
    if status is not None:
        _apply_status(product, status)
    events.emit("product.updated", product, **_told(product))
    return product


@transaction.atomic
@audit.recorded("product.set_status", facts)
def set_status(product: Product, status: str) -> Product:
    """Publishes, withdraws or archives `product`; `published_at` is set when it first goes on sale.

    Raises:
        NotPublishable: to be published, but no variant has a price.
        Invalid: not a ProductStatus.
    """
    lock(product)
    _check_status(status, lambda: _has_price(product))
    _apply_status(product, status)
    events.emit("product.updated", product, **_told(product))
    return product


def publish(product: Product) -> Product:
    """Puts `product` on sale now. Raises NotPublishable when no variant has a price."""
    return set_status(product, ProductStatus.PUBLISHED)


@transaction.atomic
@audit.recorded("product.delete", _whole)
def delete(product: Product) -> None:
    """Removes `product` with its variants and media; uploaded files go after the commit.

    Raises:
        InUse: units of a variant are promised to orders.
    """
    lock(product)
    names = list(product.media.exclude(file="").values_list("file", "thumbnails"))
    events.emit("product.deleted", product, **_told(product))
    with variant_actions.nothing_promised_of(product.variants.all()):
        product.delete()
    for name, thumbnails in names:
        delete_files_after_commit([name, *thumbnails.values()])


def set_attribute_values(product: Product, values: Iterable[AttributeValue]) -> None:
    """Makes `values` the attribute values of `product`, and no others."""
    wanted = {value.pk for value in values}
    links = ProductAttribute.objects.filter(product=product)
    present = set(links.values_list("value_id", flat=True))
    links.filter(value_id__in=present - wanted).delete()
    ProductAttribute.objects.bulk_create(
        ProductAttribute(product=product, value_id=pk) for pk in sorted(wanted - present)
    )


def _set_fields(product: Product, fields: dict[str, Any], errors: InputErrors) -> None:
    """Sets fields and adds what is wrong with them to `errors`."""
    with errors.collect():
        apply_naming(product, Product.objects.all(), fields)
    if "description" in fields:
        with errors.collect():
            product.description = clean_description(fields.pop("description"))
    if "tax_category" in fields:
        with errors.collect():
            product.tax_category = clean_tax_category(fields.pop("tax_category"))
    if len(fields.get("seo_title") or "") > NAME_LENGTH:
        message = f"A title has at most {NAME_LENGTH} characters."
        errors.add(Invalid(message, field=["seoTitle"]))
    for name, value in fields.items():
        setattr(product, name, value)


def _has_price(product: Product) -> bool:
    return product.variants.filter(price__isnull=False).exists()


def _check_status(status: str, has_price: Callable[[], bool]) -> None:
    if status not in ProductStatus.values:
        raise Invalid("There is no such status.", field=["status"])
    if status == ProductStatus.PUBLISHED and not has_price():
        raise NotPublishable(field=["status"])


def _apply_status(product: Product, status: str) -> None:
    """Sets a status that was checked."""
    if status == ProductStatus.PUBLISHED:
        # Whole seconds: SQLite tells the time in milliseconds, and "now" must count as past.
        product.published_at = product.published_at or timezone.now().replace(microsecond=0)
    product.status = status
    product.save(update_fields=["status", "published_at", "updated_at"])


def _told(product: Product) -> dict[str, str]:
    """What events tell of a product, even of one that is gone."""
    return {"slug": product.slug, "name": product.name, "status": str(product.status)}

"""Brands, attributes with their values, and collections."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from shop import events
from shop.actions import audit
from shop.actions.catalog import slugs
from shop.actions.catalog.derived import refresh
from shop.actions.catalog.html import clean_description
from shop.actions.catalog.naming import apply_naming, clean_name
from shop.actions.rows import hold
from shop.errors import InUse, Invalid
from shop.input_errors import InputErrors
from shop.models import (
    Attribute,
    AttributeValue,
    Brand,
    Collection,
    CollectionItem,
    Product,
)
from shop.text import sort_key


def _attribute(attribute: Attribute) -> dict[str, Any]:
    """What the audit tells of an attribute."""
    names = attribute.values.order_by("name_key", "pk").values_list("name", flat=True)
    return {**audit.columns(attribute), "values": names}


def _collection(collection: Collection) -> dict[str, Any]:
    """What the audit tells of a collection."""
    items = collection.items.order_by("position", "pk")
    return {**audit.columns(collection), "products": items.values_list("product_id", flat=True)}


@transaction.atomic
@audit.recorded("brand.create")
def create_brand(**fields: Any) -> Brand:
    """A new brand. Fields: name (required), slug, description. Raises ShopError."""
    brand = _write(Brand(), Brand.objects.all(), fields)
    _tell("brand.created", brand)
    return brand


@transaction.atomic
@audit.recorded("brand.update")
def update_brand(brand: Brand, **changes: Any) -> Brand:
    """Changes a brand; a new name reaches the search text of its products too."""
    renamed = changes.get("name") is not None
    _write(brand, Brand.objects.all(), changes)
    if renamed:
        refresh(Product.objects.filter(brand=brand).values_list("pk", flat=True))
    _tell("brand.updated", brand)
    return brand


@transaction.atomic
@audit.recorded("brand.delete")
def delete_brand(brand: Brand) -> None:
    """Removes a brand. Raises InUse while products have it."""
    hold(brand)
    if Product.objects.filter(brand=brand).exists():
        raise InUse("Products still have this brand.")
    _tell("brand.deleted", brand)
    brand.delete()


@transaction.atomic
@audit.recorded("attribute.create", _attribute)
def create_attribute(*, values: Sequence[str] = (), **fields: Any) -> Attribute:
    """A new attribute with these values. Fields: name (required), slug, filterable."""
    errors = InputErrors()
    _check_values(values, "values", errors)
    attribute = _write(Attribute(), Attribute.objects.all(), fields, errors)
    _add_values(attribute, values)
    _tell("attribute.created", attribute)
    return attribute


@transaction.atomic
@audit.recorded("attribute.update", _attribute)
def update_attribute(
    attribute: Attribute, *, add_values: Sequence[str] = (), **changes: Any
) -> Attribute:
    """Changes an attribute and adds values that it does not have yet."""
    errors = InputErrors()
    _check_values(add_values, "addValues", errors)
    _write(attribute, Attribute.objects.all(), changes, errors)
    _add_values(attribute, add_values)
    _tell("attribute.updated", attribute)
    return attribute


@transaction.atomic
@audit.recorded("attribute.update", _attribute)
def add_value(attribute: Attribute, name: str) -> AttributeValue:
    """The value of this name, made if it is missing; names that differ in case only are one."""
    value, is_new = _value(attribute, name)
    if is_new:
        _tell("attribute.updated", attribute)
    return value


def _value(attribute: Attribute, name: str) -> tuple[AttributeValue, bool]:
    """The value of this name, and whether it was missing."""
    siblings = AttributeValue.objects.filter(attribute=attribute)
    present = siblings.filter(name_key=sort_key(clean_name(name))).first()
    if present is not None:
        return present, False
    value = AttributeValue(attribute=attribute)
    apply_naming(value, siblings, {"name": name})
    value.save()
    return value, True


@transaction.atomic
@audit.recorded("attribute_value.update")
def rename_value(value: AttributeValue, name: str) -> AttributeValue:
    """Another spelling of a value; its slug stays, because filters in links use it.

    Raises:
        Invalid: the attribute has another value of this name.
    """
    hold(value)
    name = clean_name(name)
    others = AttributeValue.objects.filter(attribute=value.attribute_id).exclude(pk=value.pk)
    if others.filter(name_key=sort_key(name)).exists():
        raise Invalid("The attribute already has a value of this name.", field=["name"])
    value.name = name
    value.save()
    _tell("attribute.updated", value.attribute)
    return value


@transaction.atomic
@audit.recorded("attribute_value.delete")
def delete_value(value: AttributeValue) -> None:
    """Removes a value from its attribute and from all products."""
    hold(value)
    value.delete()
    _tell("attribute.updated", value.attribute)


@transaction.atomic
@audit.recorded("attribute.delete", _attribute)
def delete_attribute(attribute: Attribute) -> None:
    """Removes an attribute with its values, from all products."""
    hold(attribute)
    _tell("attribute.deleted", attribute)
    attribute.delete()


@transaction.atomic
@audit.recorded("collection.create", _collection)
def create_collection(*, products: Sequence[Product] = (), **fields: Any) -> Collection:
    """A new collection. Fields: name (required), slug, description."""
    collection = _write(Collection(), Collection.objects.all(), fields)
    _put(collection, products)
    _tell("collection.created", collection)
    return collection


@transaction.atomic
@audit.recorded("collection.update", _collection)
def update_collection(
    collection: Collection, *, products: Sequence[Product] | None = None, **changes: Any
) -> Collection:
    """Changes a collection; `products`, when given, become its contents in this order."""
    _write(collection, Collection.objects.all(), changes)
    if products is not None:
        _empty(collection)
        _put(collection, products)
    _tell("collection.updated", collection)
    return collection


@transaction.atomic
@audit.recorded("collection.update", _collection)
def add_products(collection: Collection, products: Sequence[Product]) -> None:
    """Puts `products` at the end of the collection, those it has already excepted."""
    hold(collection)
    _put(collection, products)
    _tell("collection.updated", collection)


@transaction.atomic
@audit.recorded("collection.update", _collection)
def set_products(collection: Collection, products: Sequence[Product]) -> None:
    """Makes `products`, in this order, the contents of the collection."""
    hold(collection)
    _empty(collection)
    _put(collection, products)
    _tell("collection.updated", collection)


@transaction.atomic
@audit.recorded("collection.delete", _collection)
def delete_collection(collection: Collection) -> None:
    """Removes a collection; its products stay."""
    hold(collection)
    _tell("collection.deleted", collection)
    collection.delete()


def _tell(topic: str, row: Any) -> None:
    events.emit(topic, row, slug=row.slug, name=row.name)


def _empty(collection: Collection) -> None:
    CollectionItem.objects.filter(collection=collection).delete()


def _put(collection: Collection, products: Sequence[Product]) -> None:
    items = CollectionItem.objects.filter(collection=collection)
    present = set(items.values_list("product_id", flat=True))
    last = items.aggregate(last=Max("position"))["last"]
    start = 0 if last is None else last + 1
    fresh = dict.fromkeys(product.pk for product in products if product.pk not in present)
    CollectionItem.objects.bulk_create(
        CollectionItem(collection=collection, product_id=pk, position=start + offset)
        for offset, pk in enumerate(fresh)
    )


def _check_values(names: Sequence[str], field: str, errors: InputErrors) -> None:
    for index, name in enumerate(names):
        with errors.collect():
            clean_name(name, (field, str(index)))


def _add_values(attribute: Attribute, names: Sequence[str]) -> None:
    for name in names:
        _value(attribute, name)


def _write(row: Any, rows: Any, fields: dict[str, Any], errors: InputErrors | None = None) -> Any:
    """Sets the fields of `row` and saves it.

    Args:
        errors: found in the input so far; with any of them nothing is written.

    Raises:
        ShopError: what is wrong with which field.
    """
    errors = InputErrors() if errors is None else errors
    if row.pk:
        hold(row)
    with errors.collect():
        apply_naming(row, rows, fields)
    if "description" in fields:
        with errors.collect():
            fields["description"] = clean_description(fields["description"])
    errors.raise_any()
    for name, value in fields.items():
        setattr(row, name, value)
    slugs.save(row)
    return row

"""The category tree. Paths are base-36 steps of fixed width, one per ancestor and for itself."""

from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr
from django.utils import timezone

from shop import events
from shop.actions import audit
from shop.actions.catalog import slugs
from shop.actions.catalog.html import clean_description
from shop.actions.catalog.naming import apply_naming
from shop.actions.rows import hold, locked
from shop.errors import CategoryCycle, CategoryNotEmpty, CategoryTooDeep, NotFound
from shop.input_errors import InputErrors
from shop.models import Category, Product

STEP = 6
MAX_DEPTH = 20
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# A path no finished row has, for the moment between INSERT and knowing the key.
_UNPLACED = "unplaced-"


def path_step(key: int) -> str:
    """The path step of the category with this primary key."""
    digits = ""
    while key:
        key, digit = divmod(key, 36)
        digits = _DIGITS[digit] + digits
    return digits.zfill(STEP)


@transaction.atomic
@audit.recorded("category.create")
def create(*, parent: Category | None = None, **fields: Any) -> Category:
    """A new category below `parent`, or at the top.

    Args:
        fields: name (required), slug, description, position.

    Raises:
        ShopError: what is wrong with which field; nothing is written.
    """
    errors = InputErrors()
    if parent is not None:
        with errors.collect():
            parent = _locked(parent.pk)
            _check_depth(parent.depth + 1)
    category = Category(parent=parent, depth=parent.depth + 1 if parent else 0)
    with errors.collect():
        apply_naming(category, Category.objects.all(), fields)
    _set_fields(category, fields, errors)
    errors.raise_any()
    category.path = f"{_UNPLACED}{category.slug}"[:240]
    slugs.save(category)
    category.path = (parent.path if parent else "") + path_step(category.pk)
    category.save(update_fields=["path"])
    events.emit("category.created", category, slug=category.slug, name=category.name)
    return category


@transaction.atomic
@audit.recorded("category.update")
def update(category: Category, **changes: Any) -> Category:
    """Changes the given fields; a `parent` among them moves the subtree, None to the top.

    Raises:
        ShopError: what is wrong with which field; nothing is written.
    """
    errors = InputErrors()
    if "parent" in changes:
        with errors.collect():
            category = _move(category, changes.pop("parent"))
    hold(category)
    with errors.collect():
        apply_naming(category, Category.objects.all(), changes)
    _set_fields(category, changes, errors)
    errors.raise_any()
    slugs.save(category)
    events.emit("category.updated", category, slug=category.slug, name=category.name)
    return category


@transaction.atomic
@audit.recorded("category.move")
def move(category: Category, parent: Category | None) -> Category:
    """Moves `category` with its whole subtree below `parent`, or to the top.

    Raises:
        CategoryCycle: `parent` is `category` or lies below it.
        CategoryTooDeep: the lowest descendant would lie deeper than MAX_DEPTH.
    """
    category = _move(category, parent)
    events.emit("category.updated", category, slug=category.slug, name=category.name)
    return category


def _whole(category: Category) -> dict[str, Any]:
    """What the audit tells of a category that goes, with what moves up when it does."""
    return {
        **audit.columns(category),
        "children": category.children.order_by("pk").values_list("pk", flat=True),
        "products": category.products.order_by("pk").values_list("pk", flat=True),
    }


@transaction.atomic
@audit.recorded("category.delete", _whole)
def delete(category: Category, *, move_contents: bool = False) -> None:
    """Removes `category`.

    Args:
        move_contents: move its subcategories and products one level up (products of a top
            category become uncategorised) instead of refusing.

    Raises:
        CategoryNotEmpty: it has contents and `move_contents` is off; nothing is written.
    """
    if category.pk not in _lock_tree():
        raise NotFound("The category has been deleted.")
    audit.held(category)
    category.refresh_from_db()
    children = list(category.children.order_by("pk"))
    products = Product.objects.filter(category=category)
    if not move_contents and (children or products.exists()):
        raise CategoryNotEmpty
    for child in children:
        _move(child, category.parent)
    # Held first, so that those who change one of them meanwhile and we cannot wait for each other.
    moved = [product.pk for product in locked(products).only("pk")]
    products.update(category=category.parent, updated_at=timezone.now())
    events.emit_all("category.updated", children)
    events.emit_keys("product.updated", Product, moved)
    events.emit("category.deleted", category, slug=category.slug, name=category.name)
    category.delete()


def _move(category: Category, parent: Category | None) -> Category:
    locked = _lock_tree()
    if category.pk not in locked or (parent is not None and parent.pk not in locked):
        raise NotFound("The category has been deleted.", field=["parent"])
    audit.held(category)
    category = locked[category.pk]
    parent = locked[parent.pk] if parent is not None else None
    if parent is not None and parent.path.startswith(category.path):
        raise CategoryCycle(field=["parent"])
    subtree = Category.objects.subtree_of(category)
    deepest = max(subtree.values_list("depth", flat=True))
    depth = parent.depth + 1 if parent else 0
    _check_depth(depth + deepest - category.depth)
    old, new = category.path, (parent.path if parent else "") + path_step(category.pk)
    # Evaluated first: MariaDB cannot update a table that its own WHERE clause joins.
    Category.objects.filter(pk__in=list(subtree.values_list("pk", flat=True))).update(
        path=Concat(Value(new), Substr("path", len(old) + 1)),
        depth=F("depth") + (depth - category.depth),
    )
    Category.objects.filter(pk=category.pk).update(parent=parent)
    category.refresh_from_db()
    return category


def _set_fields(category: Category, fields: dict[str, Any], errors: InputErrors) -> None:
    """Sets fields and adds what is wrong with them to `errors`."""
    if "description" in fields:
        with errors.collect():
            fields["description"] = clean_description(fields["description"])
    for name, value in fields.items():
        setattr(category, name, value)


def _lock_tree() -> dict[int, Category]:
    """All categories by key, locked in the order of their keys.

    Moves and deletions touch rows far apart. One at a time, they can neither deadlock nor meet
    halfway in a cycle; there are few categories, and they are seldom moved.
    """
    return {row.pk: row for row in locked(Category.objects.all())}


def _locked(pk: int) -> Category:
    category = locked(Category.objects.filter(pk=pk)).first()
    if category is None:
        raise NotFound("The category has been deleted.", field=["parent"])
    return category


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise CategoryTooDeep(
            f"The category tree has at most {MAX_DEPTH} levels.", field=["parent"]
        )

"""Brands, categories, attribute values and collections that files name: found, or made."""

from collections.abc import Iterable
from typing import Any

from shop.actions.catalog import categories, taxonomy
from shop.actions.catalog.naming import free_slug, slug_from
from shop.actions.importing.drafts import ProductDraft
from shop.models import Attribute, AttributeFormerSlug, AttributeValue, Brand, Category, Collection
from shop.text import fold, sort_key

# Stands for the key of something that is not there yet.
MISSING = 0


class Shelves:
    """Keeps what it has found for the rest of the run.

    Names are compared folded: without case, accents and surplus space. `find` only reads; `make`
    adds what is missing, inside the caller's transaction. Call `forget` when that is rolled back.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drops everything: rows made by a transaction that is rolled back are not there."""
        self._brands: dict[str, Brand] = {}
        self._categories: dict[tuple[int | None, str], Category] = {}
        self._attributes: dict[str, Attribute] = {}
        self._values: dict[tuple[int, str], int] = {}
        self._collections: dict[str, Collection] = {}
        # Attributes that got values since it was last told.
        self.extended: set[int] = set()

    def brand(self, name: str | None) -> tuple[int | None, str]:
        """Primary key and name of the brand called `name`; MISSING when there is none yet."""
        if name is None:
            return None, ""
        brand = self._brands.get(fold(name))
        return (brand.pk, brand.name) if brand else (MISSING, name)

    def category(self, path: Iterable[str]) -> int | None:
        """Primary key of the category at `path`, names from the top; None for no names."""
        key: int | None = None
        for name in path:
            found = self._categories.get((key, fold(name)))
            if found is None:
                return MISSING
            key = found.pk
        return key

    def present_slug(self, slug: str) -> str:
        """The slug of the attribute with this slug, which may be a former one."""
        attribute = self._attributes.get(slug)
        return attribute.slug if attribute else slug

    def values(self, slug: str, names: Iterable[str]) -> set[int]:
        """Primary keys of these values of the attribute, MISSING among them for new ones."""
        attribute = self._attributes.get(slug)
        key = attribute.pk if attribute else MISSING
        return {self._values.get((key, fold(name)), MISSING) for name in names}

    def collections(self, names: Iterable[str]) -> dict[int, Collection | None]:
        """The collections with these names by primary key, None for one that is MISSING."""
        found = [self._collections.get(fold(name)) for name in names]
        return {row.pk if row else MISSING: row for row in found}

    def find(self, drafts: Iterable[ProductDraft]) -> None:
        """Looks up what `drafts` name and is not known yet."""
        drafts = list(drafts)
        self._find(Brand, self._brands, _brand_names(drafts))
        self._find(Collection, self._collections, _collection_names(drafts))
        self._find_categories(drafts)
        self._find_values(drafts)

    def make(self, draft: ProductDraft) -> None:
        """Adds what `draft` names and `find` did not find.

        Raises:
            ShopError: something cannot be made.
        """
        for name in _brand_names([draft]):
            if fold(name) not in self._brands:
                self._brands[fold(name)] = taxonomy.create_brand(name=name)
        for name in _collection_names([draft]):
            if fold(name) not in self._collections:
                self._collections[fold(name)] = taxonomy.create_collection(name=name)
        parent: Category | None = None
        for name in draft.fields.get("category") or ():
            key = (parent.pk if parent else None, fold(name))
            if key not in self._categories:
                self._categories[key] = categories.create(parent=parent, name=name)
            parent = self._categories[key]
        for slug, (label, names) in draft.attributes.items():
            self._make_values(slug, label, names)

    def _make_values(self, slug: str, label: str, names: list[str]) -> None:
        if not names:
            return
        if slug not in self._attributes:
            self._attributes[slug] = taxonomy.create_attribute(name=label, slug=slug)
        attribute = self._attributes[slug]
        for name in names:
            if (attribute.pk, fold(name)) in self._values:
                continue
            # Different names can have the same slug: "C" and "C++".
            rows = AttributeValue.objects.filter(attribute=attribute)
            value = AttributeValue.objects.create(
                attribute=attribute, name=name, slug=free_slug(rows, slug_from(name))
            )
            self._values[attribute.pk, fold(name)] = value.pk
            self.extended.add(attribute.pk)

    def _find(self, model: Any, known: dict[str, Any], names: Iterable[str]) -> None:
        unknown = {sort_key(name) for name in names if fold(name) not in known}
        if unknown:
            # The sort key is indexed, and coarser than the name.
            for row in model.objects.filter(name_key__in=unknown).order_by("pk"):
                known.setdefault(fold(row.name), row)

    def _find_categories(self, drafts: list[ProductDraft]) -> None:
        paths = [path for draft in drafts if (path := draft.fields.get("category"))]
        unknown = {
            sort_key(name) for path in paths if self.category(path) == MISSING for name in path
        }
        if unknown:
            for row in Category.objects.filter(name_key__in=unknown).order_by("pk"):
                self._categories.setdefault((row.parent_id, fold(row.name)), row)

    def _find_attributes(self, slugs: set[str]) -> None:
        """Finds attributes by their slugs, or by former ones."""
        if slugs:
            for row in Attribute.objects.filter(slug__in=slugs):
                self._attributes[row.slug] = row
        if missing := slugs - self._attributes.keys():
            former = AttributeFormerSlug.objects.filter(slug__in=missing).select_related("owner")
            for gone in former:
                self._attributes[gone.slug] = gone.owner

    def _find_values(self, drafts: list[ProductDraft]) -> None:
        slugs = {slug for draft in drafts for slug in draft.attributes}
        self._find_attributes(slugs - self._attributes.keys())
        keys: dict[int, set[str]] = {}
        for draft in drafts:
            for slug, (_, names) in draft.attributes.items():
                attribute = self._attributes.get(slug)
                if attribute is None:
                    continue
                for name in names:
                    if (attribute.pk, fold(name)) not in self._values:
                        keys.setdefault(attribute.pk, set()).add(sort_key(name))
        for attribute_id, unknown_keys in keys.items():
            values = AttributeValue.objects.filter(
                attribute=attribute_id, name_key__in=unknown_keys
            ).order_by("pk")
            for value in values:
                self._values.setdefault((attribute_id, fold(value.name)), value.pk)


def _brand_names(drafts: Iterable[ProductDraft]) -> set[str]:
    return {name for draft in drafts if (name := draft.fields.get("brand"))}


def _collection_names(drafts: Iterable[ProductDraft]) -> list[str]:
    return list(dict.fromkeys(name for draft in drafts for name in draft.collections or ()))

"""The staff screens of categories, brands, attributes and collections."""

import re

import pytest
from django.urls import reverse

from shop.actions.catalog import categories, products
from shop.models import Category, Collection
from tests.shop.admin.screens import add_url, change_url, errors_of, list_url, run_action, save

pytestmark = pytest.mark.django_db


def test_category_is_moved_with_its_subtree(owner, shop):
    top = categories.create(name="Garden")
    assert save(owner, change_url(shop.home), {"parent": top.pk}).status_code == 302
    listed = owner.get(list_url("category")).context["cl"].result_list
    assert [(row.name, row.depth, row.product_count) for row in listed] == [
        ("Garden", 0, 0),
        ("Home", 1, 0),
        ("Lamps", 2, 1),
    ]


def test_category_below_itself_is_refused(owner, shop):
    response = save(owner, change_url(shop.home), {"parent": shop.lamps.pk, "name": "House"})
    assert errors_of(response) == ["A category cannot be moved below itself."]
    assert "parent" in response.context["adminform"].form.errors
    shop.home.refresh_from_db()
    assert (shop.home.name, shop.home.parent) == ("Home", None)


def test_new_category_gets_its_place(owner, shop):
    save(owner, add_url("category"), {"name": "Desk lamps", "parent": shop.lamps.pk})
    category = Category.objects.get(slug="desk-lamps")
    assert category.path.startswith(shop.lamps.path)
    assert category.depth == 2


def test_category_with_contents_is_not_deleted(owner, shop):
    url = reverse("admin:shop_category_delete", args=[shop.lamps.pk])
    owner.post(url, {"post": "yes"})
    run_action(owner, "category", "delete_selected", [shop.lamps])
    assert Category.objects.filter(pk=shop.lamps.pk).exists()


def test_category_is_deleted_moving_its_contents_up(owner, shop):
    run_action(owner, "category", "delete_moving_contents", [shop.lamps])
    shop.lamp.refresh_from_db()
    assert shop.lamp.category == shop.home
    assert not Category.objects.filter(pk=shop.lamps.pk).exists()


def test_empty_categories_are_deleted_together(owner, shop):
    rows = [categories.create(name="A"), categories.create(name="B")]
    data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
    owner.post(list_url("category"), data | {"post": "yes"})
    assert set(Category.objects.values_list("name", flat=True)) == {"Home", "Lamps"}


def test_brand_name_reaches_search(owner, shop):
    assert save(owner, change_url(shop.brand), {"name": "Ålma"}).status_code == 302
    shop.lamp.refresh_from_db()
    assert shop.lamp.search_text == "heron lamp alma heron-s heron-l"


def test_attribute_values_are_added_renamed_and_removed(owner, shop):
    changes = {
        "values-TOTAL_FORMS": 4,
        "values-0-name": "Polished  Brass",
        "values-1-DELETE": "on",
        "values-2-name": "Linen",
        "values-3-name": "linen",
    }
    assert save(owner, change_url(shop.material), changes).status_code == 302
    values = shop.material.values.order_by("name_key").values_list("name", "name_key", "slug")
    assert list(values) == [
        ("Linen", "linen", "linen"),
        ("Polished Brass", "polished brass", "brass"),
    ]


@pytest.mark.parametrize(("name", "count"), [("brand", 1), ("attribute", 2), ("collection", 2)])
def test_lists_count_what_is_in_a_row(owner, shop, name, count):
    content = owner.get(list_url(name)).rendered_content
    rows = re.findall(r"<tr.*?</tr>", content, re.DOTALL)
    (row,) = [row for row in rows if "field-name_column" in row]
    (cell,) = re.findall(r"field-(?:product_count|values).*?>\s*([^<]*?)\s*</td>", row, re.DOTALL)
    assert cell == str(count)


def test_collection_is_reordered_and_extended(owner, shop):
    third = products.create(name="Third")
    changes = {
        "items-TOTAL_FORMS": 3,
        "items-0-position": 1,
        "items-1-position": 0,
        "items-2-product": third.pk,
        "items-2-position": 2,
    }
    assert save(owner, change_url(shop.collection), changes).status_code == 302
    items = shop.collection.items.order_by("position", "id")
    assert [item.product.name for item in items] == ["Sketch", "Heron Lamp", "Third"]


def test_collection_lets_a_product_go(owner, shop):
    assert save(owner, change_url(shop.collection), {"items-0-DELETE": "on"}).status_code == 302
    assert [product.name for product in shop.collection.products.all()] == ["Sketch"]


def test_new_collection(owner, shop):
    changes = {"name": "Gifts", "items-TOTAL_FORMS": 1, "items-0-product": shop.lamp.pk}
    save(owner, add_url("collection"), changes | {"items-0-position": 0})
    assert [product.pk for product in Collection.objects.get(slug="gifts").products.all()] == [
        shop.lamp.pk
    ]

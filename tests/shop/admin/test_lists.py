"""The staff screens list, find and open in constant SQL."""

import pytest
from django.urls import reverse

from shop.actions.catalog import media
from shop.models import AttributeValue, ImportRecord, Reservation, Stock, StockMovement
from tests.shop.admin.screens import add_rows, add_url, change_url, list_url, statements

pytestmark = pytest.mark.django_db
LISTS = (
    "product",
    "category",
    "brand",
    "attribute",
    "attributevalue",
    "collection",
    "stock",
    "stockmovement",
    "reservation",
    "importrecord",
    "user",
)
FORMS = ("product", "category", "brand", "attribute", "collection", "user")


@pytest.mark.parametrize("name", LISTS)
def test_list_takes_constant_sql(owner, shop, name):
    add_rows(shop, 3)
    statements(owner, list_url(name))
    few = statements(owner, list_url(name))
    add_rows(shop, 3)
    assert len(statements(owner, list_url(name))) == len(few)


@pytest.mark.parametrize("name", FORMS)
def test_add_form_opens(owner, shop, name):
    assert owner.get(add_url(name)).status_code == 200


@pytest.mark.parametrize("name", ["lamp", "lamps", "brand", "material", "collection"])
def test_change_form_takes_constant_sql(owner, shop, name):
    add_rows(shop, 3)
    url = change_url(getattr(shop, name))
    statements(owner, url)
    few = statements(owner, url)
    add_rows(shop, 3)
    assert len(statements(owner, url)) == len(few)


@pytest.mark.parametrize("name", ["lamp", "lamps", "brand", "material", "collection"])
def test_view_only_form_takes_constant_sql(client, people, shop, name):
    client.force_login(people.clerk)
    add_rows(shop, 3)
    url = change_url(getattr(shop, name))
    statements(client, url)
    few = statements(client, url)
    add_rows(shop, 3)
    assert len(statements(client, url)) == len(few)


def test_read_only_forms_open(owner, shop):
    add_rows(shop, 1)
    for row in (
        Stock.objects.first(),
        StockMovement.objects.first(),
        Reservation.objects.first(),
        ImportRecord.objects.get(),
        AttributeValue.objects.first(),
    ):
        assert owner.get(change_url(row)).status_code == 200
        assert owner.post(change_url(row), {}).status_code == 403


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"q": "heron"}, {"Heron Lamp"}),
        ({"q": "BREA lamp"}, {"Heron Lamp"}),
        ({"q": "heron-s"}, {"Heron Lamp"}),
        ({"q": "nothing"}, set()),
        ({"priced": "no"}, {"Sketch"}),
        ({"priced": "yes"}, {"Heron Lamp"}),
        ({"status__exact": "published"}, {"Heron Lamp"}),
        ({"created_at_from": "2000-01-01", "created_at_to": "2000-01-02"}, set()),
        ({"created_at_from": "2000-01-01"}, {"Heron Lamp", "Sketch"}),
        ({"created_at_from": "never"}, {"Heron Lamp", "Sketch"}),
    ],
)
def test_product_list_finds(owner, shop, filters, found):
    response = owner.get(list_url("product", **filters))
    assert {product.name for product in response.context["cl"].result_list} == found


def test_product_list_filters_by_subtree_and_brand(owner, shop):
    for filters in (
        {"category__id__exact": shop.home.pk},
        {"brand__id__exact": shop.brand.pk},
    ):
        response = owner.get(list_url("product", **filters))
        assert [product.pk for product in response.context["cl"].result_list] == [shop.lamp.pk]
    assert owner.get(list_url("product", category__id__exact="x")).status_code == 302


def test_product_list_shows_price_range_and_thumbnail(owner, shop):
    media.add_url(shop.lamp, "https://img.example.org/1.webp")
    content = owner.get(list_url("product")).content.decode()
    assert "49.00 – 79.00 USD" in content
    assert 'src="https://img.example.org/1.webp"' in content


def test_autocomplete_shows_where_a_category_is(owner, shop):
    query = {"app_label": "shop", "model_name": "product", "field_name": "category", "term": "lam"}
    response = owner.get(reverse("admin:shop_category_labels", query=query))
    assert response.json()["results"] == [{"id": str(shop.lamps.pk), "text": "Home › Lamps"}]
    few = len(statements(owner, response.wsgi_request.get_full_path()))
    add_rows(shop, 2)
    everything = reverse("admin:shop_category_labels", query=query | {"term": ""})
    assert len(statements(owner, everything)) == few


def test_autocomplete_shows_the_attribute_of_a_value(owner, shop):
    query = {"app_label": "shop", "model_name": "product", "field_name": "attribute_values"}
    url = reverse("admin:shop_attributevalue_labels", query=query | {"term": "oak"})
    assert [row["text"] for row in owner.get(url).json()["results"]] == ["Material: Oak"]

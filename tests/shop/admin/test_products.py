"""The staff screens of products: they write through actions, and show what is refused."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from shop.actions.catalog import media, products, variants
from shop.models import Media, Product, ProductStatus, Variant
from tests.shop.admin.screens import (
    add_rows,
    add_url,
    change_url,
    errors_of,
    messages_of,
    png,
    run_action,
    save,
)

pytestmark = pytest.mark.django_db


def test_new_product_with_variants_pictures_and_status(owner, shop):
    data = {
        "name": "Brass Pen",
        "status": "published",
        "brand": shop.brand.pk,
        "category": shop.lamps.pk,
        "traits": [shop.material.values.get(name="Brass").pk],
        "description": "<p>Writes<script>x</script></p>",
        "variants-TOTAL_FORMS": 2,
        "variants-0-sku": "PEN-BLUE",
        "variants-0-options": "Ink: Blue",
        "variants-0-price": "12.5",
        "variants-0-weight_grams": 20,
        "variants-0-position": 0,
        "variants-1-sku": "PEN-RED",
        "variants-1-options": "Ink: Red",
        "variants-1-price": "11",
        "variants-1-compare_at": "15.00",
        "variants-1-weight_grams": 0,
        "variants-1-position": 1,
        "media-TOTAL_FORMS": 2,
        "media-0-upload": png(),
        "media-0-alt": "A pen",
        "media-1-address": "https://img.example.org/pen.webp",
    }
    response = save(owner, add_url("product"), data)
    assert response.status_code == 302, errors_of(response)
    pen = Product.objects.get(name="Brass Pen")
    assert (pen.slug, pen.status) == ("brass-pen", ProductStatus.PUBLISHED)
    assert (pen.min_price, pen.max_price) == (1100, 1250)
    assert pen.options == [{"name": "Ink", "values": ["Blue", "Red"]}]
    assert pen.search_text == "brass pen brea pen-blue pen-red"
    assert pen.description == "<p>Writes</p>"
    assert [value.name for value in pen.attribute_values.all()] == ["Brass"]
    pictures = pen.media.order_by("position")
    assert [(row.position, row.alt, bool(row.file)) for row in pictures] == [
        (1, "A pen", True),
        (2, "", False),
    ]


def test_price_in_the_inline_reaches_the_product(owner, shop):
    response = save(owner, change_url(shop.lamp), {"variants-0-price": "39.90"})
    assert response.status_code == 302
    shop.lamp.refresh_from_db()
    assert (shop.lamp.min_price, shop.lamp.status) == (3990, ProductStatus.PUBLISHED)


def test_blanks_of_skus_are_left_alone(owner, shop):
    variant = shop.lamp.variants.get(sku="HERON-S")
    Variant.objects.filter(pk=variant.pk).update(sku=" HERON  S ")
    data = {"variants-0-sku": " HERON  S ", "variants-0-price": "39.90"}
    assert save(owner, change_url(shop.lamp), data).status_code == 302
    assert Variant.objects.values_list("sku", "price").get(pk=variant.pk) == (" HERON  S ", 3990)


def test_saving_unchanged_writes_nothing(owner, shop):
    before = Product.objects.values().get(pk=shop.lamp.pk)
    assert save(owner, change_url(shop.lamp), {}).status_code == 302
    assert Product.objects.values().get(pk=shop.lamp.pk) == before


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"variants-0-price": "12.345"}, "Enter an amount such as 12.50."),
        ({"variants-0-price": "cheap"}, "Enter an amount such as 12.50."),
        ({"variants-0-price": "-1"}, "A price must not be below zero."),
        ({"variants-0-compare_at": "1"}, "The compare-at price must be above the price."),
        ({"variants-0-options": "Large"}, "Write one option a line, such as “Size: M”."),
        (
            {"variants-0-options": "size: l"},
            "The product already has a variant with these options.",
        ),
        ({"variants-0-options": "Size: S\nsize: S"}, "An option is named twice."),
        ({"variants-0-sku": "OTHER"}, "This SKU is already taken by another variant."),
        ({"slug": "sketch"}, "This slug is already taken."),
        ({"slug": "two words"}, "A slug has letters, digits, - and _ only."),
        ({"name": "   "}, "This field is required."),
    ],
)
def test_refused_input_is_shown_and_nothing_is_written(owner, shop, changes, error):
    variants.create(shop.sketch, sku="OTHER")
    changes = {"description": "New", "variants-1-price": "1"} | changes
    response = save(owner, change_url(shop.lamp), changes)
    assert errors_of(response) == [error]
    shop.lamp.refresh_from_db()
    assert (shop.lamp.description, shop.lamp.min_price) == ("", 4900)


def test_late_refusal_is_shown_in_its_row(owner, shop):
    response = save(owner, change_url(shop.lamp), {"variants-1-options": "Size: S"})
    formset, *_ = (inline.formset for inline in response.context["inline_admin_formsets"])
    assert formset.errors[0] == {}
    assert list(formset.errors[1]) == ["options"]
    assert "Size: S" in response.content.decode()


def test_published_product_may_change_all_its_variants_at_once(owner, shop):
    changes = {
        "variants-TOTAL_FORMS": 3,
        "variants-0-DELETE": "on",
        "variants-1-DELETE": "on",
        "variants-2-sku": "HERON-S",
        "variants-2-price": "20",
        "variants-2-weight_grams": 0,
    }
    assert save(owner, change_url(shop.lamp), changes).status_code == 302
    shop.lamp.refresh_from_db()
    assert (shop.lamp.min_price, shop.lamp.status) == (2000, ProductStatus.PUBLISHED)
    assert [variant.sku for variant in shop.lamp.variants.all()] == ["HERON-S"]


def test_published_product_keeps_a_price(owner, shop):
    changes = {"variants-0-DELETE": "on", "variants-1-price": ""}
    response = save(owner, change_url(shop.lamp), changes)
    assert errors_of(response) == [
        "A product needs at least one variant with a price to be published."
    ]
    assert shop.lamp.variants.count() == 2


def test_variants_are_reordered(owner, shop):
    save(owner, change_url(shop.lamp), {"variants-0-position": 1, "variants-1-position": 0})
    in_order = shop.lamp.variants.order_by("position", "id")
    assert [variant.sku for variant in in_order] == ["HERON-L", "HERON-S"]
    shop.lamp.refresh_from_db()
    assert shop.lamp.options == [{"name": "Size", "values": ["L", "S"]}]


def test_second_page_of_variants_is_saved(owner, shop):
    for number in range(30):
        options = [{"name": "Size", "value": str(number)}]
        variants.create(shop.sketch, sku=f"S-{number:02}", price=100 + number, options=options)
    url = change_url(shop.sketch) + "?variants-page=2"
    changes = {"variants-0-price": "0.50", "variants-0-position": 4}
    changes |= {f"variants-{row}-position": row for row in range(1, 4)} | {"variants-4-position": 0}
    assert save(owner, url, changes).status_code == 302
    in_order = list(shop.sketch.variants.order_by("position", "id").values_list("sku", flat=True))
    assert in_order[24:] == ["S-24", "S-29", "S-26", "S-27", "S-28", "S-25"]
    shop.sketch.refresh_from_db()
    assert (shop.sketch.min_price, shop.sketch.search_text.split()[-1]) == (50, "s-25")


def test_pictures_are_described_reordered_and_removed(owner, shop):
    rows = [
        media.add_url(shop.lamp, f"https://img.example.org/{number}.webp") for number in range(3)
    ]
    changes = {
        "media-0-position": 2,
        "media-1-position": 0,
        "media-1-alt": "From above",
        "media-2-DELETE": "on",
    }
    assert save(owner, change_url(shop.lamp), changes).status_code == 302
    left = shop.lamp.media.order_by("position").values_list("pk", "position", "alt")
    assert list(left) == [(rows[1].pk, 1, "From above"), (rows[0].pk, 2, "")]


def test_variant_takes_a_picture_of_its_product(owner, shop):
    picture = media.add_url(shop.lamp, "https://img.example.org/a.webp")
    assert save(owner, change_url(shop.lamp), {"variants-0-media": picture.pk}).status_code == 302
    assert picture.variants.get().sku == "HERON-S"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"upload": SimpleUploadedFile("x.png", b"no picture")}, "Only JPEG, PNG, WebP and GIF"),
        ({"address": "javascript:alert(1)"}, "The address must begin with https://"),
        ({"alt": "Nothing"}, "Choose a file or give an address"),
    ],
)
def test_picture_that_is_none_is_refused(owner, shop, settings, row, error):
    changes = {"media-TOTAL_FORMS": 2, "media-0-upload": png(), "media-0-alt": "Good"}
    changes |= {f"media-1-{name}": value for name, value in row.items()}
    response = save(owner, change_url(shop.lamp), changes)
    (shown,) = errors_of(response)
    assert shown.startswith(error)
    assert not Media.objects.exists()
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_bulk_publish_names_what_cannot_be_published(owner, shop):
    products.set_status(shop.lamp, ProductStatus.DRAFT)
    response = run_action(owner, "product", "publish", [shop.lamp, shop.sketch])
    assert messages_of(response) == [
        "1 product is now published.",
        "Not published, because no variant has a price: Sketch.",
    ]
    shop.lamp.refresh_from_db()
    shop.sketch.refresh_from_db()
    assert (shop.lamp.status, shop.sketch.status) == (ProductStatus.PUBLISHED, ProductStatus.DRAFT)


def test_bulk_archive_and_withdraw(owner, shop):
    run_action(owner, "product", "archive", [shop.lamp])
    shop.lamp.refresh_from_db()
    assert shop.lamp.status == ProductStatus.ARCHIVED
    run_action(owner, "product", "withdraw", [shop.lamp])
    shop.lamp.refresh_from_db()
    assert shop.lamp.status == ProductStatus.DRAFT


def test_product_is_deleted_with_its_stock(owner, shop):
    add_rows(shop, 1)
    url = reverse("admin:shop_product_delete", args=[shop.lamp.pk])
    assert owner.get(url).context["perms_lacking"] == set()
    owner.post(url, {"post": "yes"})
    assert not Product.objects.filter(pk=shop.lamp.pk).exists()
    assert not Variant.objects.filter(sku__startswith="HERON").exists()

"""The staff screens: they list in constant SQL, write through actions, and show what is refused."""

import io
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.models import (
    AttributeValue,
    Category,
    Collection,
    ImportRecord,
    Media,
    Product,
    ProductStatus,
    Stock,
    User,
    Variant,
)

pytestmark = pytest.mark.django_db
LISTS = (
    "product",
    "category",
    "brand",
    "attribute",
    "attributevalue",
    "collection",
    "stock",
    "importrecord",
    "user",
)
FORMS = ("product", "category", "brand", "attribute", "collection", "user")


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path):
    # WhiteNoise warns of a static root that is not there yet.
    settings.STATIC_ROOT = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def people():
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(content_type__app_label="shop", codename__startswith="view_")
    )
    return SimpleNamespace(
        owner=User.objects.create_superuser("owner@example.org"),
        clerk=clerk,
        shopper=User.objects.create_user("ann@example.org", name="Ann"),
    )


@pytest.fixture
def owner(client, people):
    client.force_login(people.owner)
    return client


@pytest.fixture
def shop():
    """A small shop: lamps of one brand, in a tree of categories, with a collection."""
    home = categories.create(name="Home")
    lamps = categories.create(name="Lamps", parent=home)
    brand = taxonomy.create_brand(name="Bréa")
    material = taxonomy.create_attribute(name="Material", values=["Brass", "Oak"])
    lamp = products.create(
        name="Heron Lamp",
        brand=brand,
        category=lamps,
        variants=[
            {"sku": "HERON-S", "price": 4900, "options": [{"name": "Size", "value": "S"}]},
            {"sku": "HERON-L", "price": 7900, "options": [{"name": "Size", "value": "L"}]},
        ],
        attribute_values=material.values.filter(name="Oak"),
        status=ProductStatus.PUBLISHED,
    )
    sketch = products.create(name="Sketch")
    collection = taxonomy.create_collection(name="Cosy", products=[lamp, sketch])
    return SimpleNamespace(
        home=home,
        lamps=lamps,
        brand=brand,
        material=material,
        lamp=lamp,
        sketch=sketch,
        collection=collection,
    )


def add_rows(shop, count):
    """`count` more of everything that a screen lists."""
    for _ in range(count):
        number = Product.objects.count()
        category = categories.create(name=f"Shelf {number}", parent=shop.lamps)
        brand = taxonomy.create_brand(name=f"Maker {number}")
        taxonomy.create_attribute(name=f"Trait {number}", values=["Yes"])
        value = taxonomy.add_value(shop.material, f"Alloy {number}")
        product = products.create(
            name=f"Lamp {number}",
            brand=brand,
            category=category,
            variants=[{"sku": f"LAMP-{number}", "price": 1000 + number}],
            attribute_values=[value],
        )
        media.add_url(product, f"/static/{number}.webp")
        taxonomy.create_collection(name=f"Set {number}", products=[product])
        taxonomy.add_products(shop.collection, [product])
        Stock.objects.create(variant=product.variants.get(), on_hand=number)
        ImportRecord.objects.create(
            handle=product.slug, product=product, digest=str(number), snapshot={}
        )
        User.objects.create_user(f"shopper-{number}@example.org")
        picture = media.add_url(shop.lamp, f"/static/lamp-{number}.webp")
        variant = variants.create(
            shop.lamp,
            sku=f"HERON-{number}",
            price=5000,
            options=[{"name": "Size", "value": f"No {number}"}],
            media=picture,
        )
        Stock.objects.create(variant=variant, on_hand=1)
        products.update(shop.lamp, attribute_values=AttributeValue.objects.all())


def list_url(name, **filters):
    return reverse(f"admin:shop_{name}_changelist", query=filters or None)


def add_url(name):
    return reverse(f"admin:shop_{name}_add")


def change_url(row):
    return reverse(f"admin:shop_{row._meta.model_name}_change", args=[row.pk])


def statements(client, url):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, url
    return [query["sql"] for query in captured]


def filled_in(client, url):
    """What a browser would send for the form at `url`, were it saved unchanged."""
    context = client.get(url).context
    data = {}
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
        data[inline.formset.get_pagination_key()] = inline.formset.page.number
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False and not bound.field.disabled:
                data[bound.html_name] = value
    return data


def save(client, url, changes):
    return client.post(url, filled_in(client, url) | changes)


def errors_of(response):
    """All error messages of a form that was shown again."""
    assert response.status_code == 200
    errors = response.context["errors"]
    return [text for error in errors for text in ([error] if isinstance(error, str) else error)]


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def run_action(client, name, action, rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    return client.post(list_url(name), data, follow=True)


def png(name="lamp.png"):
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(buffer, "PNG")
    return SimpleUploadedFile(name, buffer.getvalue())


# --- Looking -----------------------------------------------------------------------------------


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
    for row in (Stock.objects.first(), ImportRecord.objects.get(), AttributeValue.objects.first()):
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


# --- Who may -----------------------------------------------------------------------------------


def test_shopper_cannot_enter(client, people):
    client.force_login(people.shopper)
    response = client.get(list_url("product"))
    assert response.status_code == 302
    assert response.url.startswith("/admin/login/")


def test_view_only_staff_cannot_change(client, people, shop):
    client.force_login(people.clerk)
    assert client.get(list_url("product")).status_code == 200
    assert client.get(add_url("product")).status_code == 403
    assert client.post(change_url(shop.lamp), {"name": "Mine"}).status_code == 403
    run_action(client, "product", "archive", [shop.lamp])
    shop.lamp.refresh_from_db()
    assert (shop.lamp.name, shop.lamp.status) == ("Heron Lamp", ProductStatus.PUBLISHED)


def test_staff_who_keep_users_cannot_reach_other_staff(client, people):
    people.clerk.user_permissions.set(Permission.objects.filter(codename__endswith="_user"))
    client.force_login(people.clerk)
    listed = client.get(list_url("user")).context["cl"].result_list
    assert [user.email for user in listed] == ["ann@example.org"]
    assert client.get(change_url(people.owner)).status_code == 302
    password_url = reverse("admin:auth_user_password_change", args=[people.owner.pk])
    assert client.get(password_url).status_code == 404
    save(client, change_url(people.shopper), {"name": "Anne", "is_superuser": "on"})
    people.shopper.refresh_from_db()
    assert (people.shopper.name, people.shopper.is_superuser) == ("Anne", False)


def test_staff_cannot_give_their_own_group_permissions(client, people):
    group = Group.objects.create(name="Clerks")
    people.clerk.groups.add(group)
    people.clerk.user_permissions.set(Permission.objects.filter(codename__endswith="_group"))
    client.force_login(people.clerk)
    url = reverse("admin:auth_group_change", args=[group.pk])
    client.post(url, {"name": "Clerks", "permissions": [Permission.objects.first().pk]})
    assert client.get(reverse("admin:auth_group_add")).status_code == 403
    assert group.permissions.count() == 0


# --- Products ----------------------------------------------------------------------------------


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
    (formset, _) = (inline.formset for inline in response.context["inline_admin_formsets"])
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
    rows = [media.add_url(shop.lamp, f"/static/{number}.webp") for number in range(3)]
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
    picture = media.add_url(shop.lamp, "/static/a.webp")
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
def test_picture_that_is_none_is_refused(owner, shop, media_root, row, error):
    changes = {"media-TOTAL_FORMS": 2, "media-0-upload": png(), "media-0-alt": "Good"}
    changes |= {f"media-1-{name}": value for name, value in row.items()}
    response = save(owner, change_url(shop.lamp), changes)
    (shown,) = errors_of(response)
    assert shown.startswith(error)
    assert not Media.objects.exists()
    assert not [path for path in media_root.rglob("*") if path.is_file()]


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


# --- The tree and the lists --------------------------------------------------------------------


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


# --- People ------------------------------------------------------------------------------------


def test_user_is_added_with_a_password(owner):
    changes = {"email": "Bob@Example.org", "usable_password": "true"}
    changes |= {"password1": "correct horse", "password2": "correct horse"}
    assert save(owner, add_url("user"), changes).status_code == 302
    user = User.objects.get(email_key="bob@example.org")
    assert user.check_password("correct horse")
    assert not user.is_staff
    password_url = reverse("admin:auth_user_password_change", args=[user.pk])
    assert owner.get(password_url).status_code == 200
    assert owner.get(change_url(user)).status_code == 200


def test_user_with_a_taken_address_is_refused(owner, people):
    changes = {"email": "ANN@example.org", "usable_password": "false"}
    response = save(owner, add_url("user"), changes)
    assert errors_of(response) == ["Somebody already has this e-mail address."]


def test_group_screens_open(owner):
    group = Group.objects.create(name="Catalog")
    assert owner.get(reverse("admin:auth_group_changelist")).status_code == 200
    assert owner.get(reverse("admin:auth_group_change", args=[group.pk])).status_code == 200

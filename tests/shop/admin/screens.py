"""What a browser does at the staff screens, and rows for them to list."""

import io

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from shop.actions import inventory
from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.models import AttributeValue, ImportRecord, Product, Stock, User


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
        media.add_url(product, f"https://img.example.org/{number}.webp")
        taxonomy.create_collection(name=f"Set {number}", products=[product])
        taxonomy.add_products(shop.collection, [product])
        inventory.open_stock([Stock(variant=product.variants.get(), on_hand=number + 1)])
        ImportRecord.objects.create(
            handle=product.slug, product=product, digest=str(number), snapshot={}
        )
        User.objects.create_user(f"shopper-{number}@example.org")
        picture = media.add_url(shop.lamp, f"https://img.example.org/lamp-{number}.webp")
        variant = variants.create(
            shop.lamp,
            sku=f"HERON-{number}",
            price=5000,
            options=[{"name": "Size", "value": f"No {number}"}],
            media=picture,
        )
        inventory.open_stock([Stock(variant=variant, on_hand=1)])
        with transaction.atomic():
            inventory.reserve(f"order:{number}", {variant.pk: 1}, expires_at=None)
            inventory.release(f"order:{number}")
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

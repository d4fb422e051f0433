"""The staff screens: who sits before them, and the shop that they show."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Permission

from shop.actions.catalog import categories, products, taxonomy
from shop.models import ProductStatus, User


@pytest.fixture(autouse=True)
def static_root(settings, tmp_path):
    # WhiteNoise warns of a static root that is not there yet.
    settings.STATIC_ROOT = tmp_path


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

"""The audit: what actions write down, what they hide, and how it is forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop import tasks
from shop.actions import audit
from shop.actions.audit import values
from shop.actions.catalog import categories, media, products, taxonomy, variants
from shop.actions.webhooks import endpoints
from shop.errors import Invalid, NotPublishable
from shop.models import (
    AuditEntry,
    AuditSource,
    Brand,
    Collection,
    Product,
    User,
)

pytestmark = pytest.mark.django_db
ADDRESS = "2001:db8::7"


@pytest.fixture
def acting(staff: User) -> Any:
    """Within the test, `staff` acts."""
    with audit.acting(staff, AuditSource.API, ADDRESS):
        yield


def told() -> list[tuple[str, dict[str, Any]]]:
    """Actions with their differences, in the order in which they were written."""
    return [(entry.action, entry.difference) for entry in AuditEntry.objects.order_by("pk")]


def forget() -> None:
    AuditEntry.objects.all().delete()


# --- Recording -----------------------------------------------------------------------------------


def test_nobody_acts_and_it_costs_nothing(world: Any, staff: User) -> None:
    def rename(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            taxonomy.update_brand(Brand.objects.get(), name=name)
        return len(captured)

    plain = rename("First")
    assert not AuditEntry.objects.exists()
    with audit.acting(staff, AuditSource.API, None):
        assert rename("Second") > plain
    assert rename("Third") == plain
    assert len(told()) == 1


def test_what_changes_nothing_leaves_no_entry(world: Any, acting: Any) -> None:
    taxonomy.update_brand(world.brand, name=world.brand.name)
    products.update(world.products[0], attribute_values=[world.clay])
    taxonomy.set_products(world.collection, world.products)
    taxonomy.add_value(world.material, "clay")
    assert told() == []


def test_a_product_is_told_with_its_attribute_values(world: Any, acting: Any) -> None:
    product = world.products[0]
    products.update(product, name="Beaker", brand=None, attribute_values=[world.glass])
    assert told() == [
        (
            "product.update",
            {
                "name": ["Mug 1", "Beaker"],
                "brand": [world.brand.pk, None],
                "attribute_values": [[world.clay.pk], [world.glass.pk]],
            },
        )
    ]
    entry = AuditEntry.objects.get()
    assert (entry.object_type, entry.object_id) == ("Product", product.pk)
    assert (entry.source, entry.address) == ("api", ADDRESS)


def test_a_new_product_and_its_variants_have_entries_each(acting: Any) -> None:
    products.create(name="Mug", variants=[{"sku": "M-1", "price": 250}], status="published")
    product, variant = AuditEntry.objects.order_by("pk")
    assert (product.action, variant.action) == ("product.create", "variant.create")
    assert product.difference["status"] == [None, "published"]
    # A time as ISO 8601.
    published = Product.objects.get().published_at
    assert product.difference["published_at"] == [None, published.isoformat()]
    assert variant.difference["sku"] == [None, "M-1"]
    assert variant.difference["price"] == [None, 250]
    kept_by_the_shop = {"name_key", "min_price", "search_text", "updated_at", "options_key"}
    assert not kept_by_the_shop & (product.difference.keys() | variant.difference.keys())


def test_a_deleted_product_is_told_with_what_went_with_it(world: Any, acting: Any) -> None:
    product = world.products[0]
    kept = [
        list(rows.order_by("position").values_list("pk", flat=True))
        for rows in (product.variants, product.media)
    ]
    products.delete(product)
    ((action, difference),) = told()
    assert action == "product.delete"
    assert difference["name"] == ["Mug 1", None]
    assert [difference["variants"], difference["media"]] == [[keys, None] for keys in kept]


def test_variants_and_pictures_have_their_own_entries(world: Any, acting: Any) -> None:
    product = world.products[0]
    variant = product.variants.first()
    pictures = list(product.media.order_by("position"))
    variants.update(variant, price=990)
    media.update(pictures[0], alt="In use", position=2)
    first, second, *others = [picture.pk for picture in pictures]
    assert told() == [
        ("variant.update", {"price": [100, 990]}),
        ("media.update", {"position": [1, 2], "alt": ["A mug", "In use"]}),
        (
            "product.reorder_media",
            {"media": [[first, second, *others], [second, first, *others]]},
        ),
    ]


def test_taxonomy_is_told_with_its_lists(world: Any, acting: Any) -> None:
    one, two, *_ = world.products
    taxonomy.update_attribute(world.material, add_values=["Wool"])
    taxonomy.rename_value(world.clay, "Earthenware")
    taxonomy.update_collection(world.collection, products=[two, one])
    categories.update(world.mugs, parent=world.garden, name="Beakers")
    everything = [product.pk for product in world.products]
    assert told() == [
        ("attribute.update", {"values": [["Clay", "Glass"], ["Clay", "Glass", "Wool"]]}),
        ("attribute_value.update", {"name": ["Clay", "Earthenware"]}),
        ("collection.update", {"products": [everything, [two.pk, one.pk]]}),
        (
            "category.update",
            {"name": ["Mugs", "Beakers"], "parent": [world.drinkware.pk, world.garden.pk]},
        ),
    ]


def test_a_deleted_category_is_told_with_what_moved_up(world: Any, acting: Any) -> None:
    categories.delete(world.drinkware, move_contents=True)
    ((action, difference),) = told()
    assert action == "category.delete"
    assert difference["children"] == [[world.mugs.pk], None]
    assert difference["products"] == [[world.products[1].pk, world.products[3].pk], None]


def test_what_is_undone_leaves_no_entry(acting: Any) -> None:
    with transaction.atomic():
        taxonomy.create_brand(name="Ladlemoor")
        transaction.set_rollback(True)
    with pytest.raises(NotPublishable):
        products.create(name="Mug", variants=[{"sku": "M-1"}], status="published")
    assert told() == []


def test_an_inner_action_that_was_undone_is_not_told(acting: Any, staff: User) -> None:
    @audit.recorded("outer.update")
    def outer(user: User) -> None:
        user.name = "Anna"
        user.save()
        taxonomy.create_brand(name="Kept")
        with pytest.raises(Invalid):
            taxonomy.create_brand(name="Lost", slug="not a slug")

    outer(staff)
    assert [action for action, _ in told()] == ["outer.update", "brand.create"]
    assert told()[0][1] == {"name": ["", "Anna"]}


def test_what_an_inner_action_does_to_the_same_row_is_part_of_the_outer_entry(
    world: Any, acting: Any
) -> None:
    with audit.changing("brand.tidy", [world.brand]):
        taxonomy.update_brand(world.brand, name="Draft")
        taxonomy.update_brand(world.brand, name="Ladle")
        taxonomy.create_brand(name="Other")
    (tidy, tidied), (other, _) = told()
    assert (tidy, other) == ("brand.tidy", "brand.create")
    assert tidied == {"name": ["Ladlemoor", "Ladle"]}


def test_what_others_changed_before_the_lock_is_not_ours(world: Any, acting: Any) -> None:
    @audit.recorded("brand.rename")
    def rename(brand: Brand) -> None:
        # Between our look and our lock somebody else was done.
        Brand.objects.filter(pk=brand.pk).update(description="Theirs")
        audit.held(brand)
        Brand.objects.filter(pk=brand.pk).update(name="Ours")

    rename(world.brand)
    assert told() == [("brand.rename", {"name": ["Ladlemoor", "Ours"]})]


def test_a_function_without_a_transaction_is_undone_with_its_entry(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = User.objects.create_superuser("staff@example.org")

    @audit.recorded("brand.create")
    def create() -> Brand:
        return Brand.objects.create(name="Ladlemoor", slug="ladlemoor")

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch, audit.acting(staff, AuditSource.API, None):
        patch.setattr(type(AuditEntry.objects.all()), "bulk_create", fail)
        with pytest.raises(RuntimeError):
            create()
    assert not Brand.objects.exists()


def test_texts_and_lists_are_cut(acting: Any) -> None:
    long = "x" * (values.TEXT + 1)
    taxonomy.create_brand(name="Ladlemoor", description=long)
    kept = told()[0][1]["description"][1]
    assert kept == "x" * (values.TEXT - 1) + "…"
    collection = Collection.objects.create(name="Gifts", slug="gifts")
    rows = Product.objects.bulk_create(
        Product(name=f"Mug {n}", slug=f"mug-{n}") for n in range(values.ITEMS + 20)
    )
    taxonomy.set_products(collection, rows[:-1])
    taxonomy.add_products(collection, rows[-1:])
    (_, filled), (_, added) = told()[1:]
    assert filled["products"][0] == []
    assert filled["products"][1][-1] == "… 19 more"
    assert len(filled["products"][1]) == values.ITEMS + 1
    note = f"… {len(rows) - 1} as before"
    assert added == {"products": [[note], [note, rows[-1].pk]]}


def test_secrets_are_hidden_whatever_tells_them(acting: Any, customer: User) -> None:
    @audit.recorded("user.set_password", lambda user: {"password": user.password})
    def set_password(user: User) -> None:
        user.set_password("an even longer one")
        user.save()

    set_password(customer)
    endpoint = endpoints.create(url="https://one.example/", topics=["*"], by=None)
    endpoints.delete(endpoint)
    changed, made, gone = [difference for _, difference in told()]
    assert changed == {"password": ["***", "***"]}
    assert (made["secret"], gone["secret"]) == ([None, "***"], ["***", None])


def test_who_removes_themselves_leaves_an_entry_of_nobody(staff: User) -> None:
    with audit.acting(staff, AuditSource.ADMIN, None), audit.changing("user.delete", [staff]):
        User.objects.get(pk=staff.pk).delete()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.difference["email"]) == (None, ["staff@example.org", None])


def test_refusals_are_for_staff_only(staff: User, customer: User) -> None:
    audit.refuse(customer, "brandCreate", ADDRESS)
    assert not AuditEntry.objects.exists()
    audit.refuse(staff, "brandCreate", "")
    entry = AuditEntry.objects.get()
    assert (entry.outcome, entry.actor, entry.address) == ("refused", staff, None)


# --- Keeping and forgetting ----------------------------------------------------------------------


def test_entries_are_written_once(staff: User) -> None:
    audit.refuse(staff, "brandCreate", None)
    entry = AuditEntry.objects.get()
    entry.action = "nothing"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
    assert AuditEntry.objects.get().action == "brandCreate"


def test_old_entries_are_purged(staff: User) -> None:
    for _ in range(2):
        audit.refuse(staff, "brandCreate", None)
    old = AuditEntry.objects.earliest("pk")
    age = timedelta(days=project.AUDIT_DAYS, minutes=1)
    AuditEntry.objects.filter(pk=old.pk).update(created_at=timezone.now() - age)
    tasks.purge_audit()
    assert AuditEntry.objects.get().pk == old.pk + 1


def test_scrubbing_forgets_values_and_addresses_but_not_what_was_done(
    staff: User, customer: User
) -> None:
    def entry(actor: User, kind: str, key: int) -> AuditEntry:
        return AuditEntry.objects.create(
            actor=actor,
            action="row.update",
            source=AuditSource.API,
            object_type=kind,
            object_id=key,
            difference={"name": ["Ann", "Anna"], "phone": [None, "+44"]},
            address=ADDRESS,
        )

    about, address = entry(staff, "User", customer.pk), entry(staff, "Address", 7)
    kept = [entry(staff, "Address", 8), entry(staff, "Brand", customer.pk)]
    by_them = entry(customer, "Brand", 1)
    count = audit.scrub(user_id=customer.pk, object_ids={"Address": [7, 9]})
    assert count == 2
    for row in (about, address):
        row.refresh_from_db()
        erased = ["[erased]", "[erased]"]
        assert row.difference == {"name": erased, "phone": erased}
        assert (row.actor, row.address) == (staff, ADDRESS)
    for row in kept:
        row.refresh_from_db()
        assert row.difference["name"] == ["Ann", "Anna"]
    by_them.refresh_from_db()
    assert (by_them.difference["name"], by_them.address) == (["Ann", "Anna"], None)


def test_scrubbing_rows_alone_leaves_what_is_told_about_users(staff: User, customer: User) -> None:
    for kind, key in (("User", customer.pk), ("Address", 7)):
        AuditEntry.objects.create(
            actor=staff,
            action="row.update",
            source=AuditSource.API,
            object_type=kind,
            object_id=key,
            difference={"name": ["Ann", "Anna"]},
            address=ADDRESS,
        )
    assert audit.scrub(object_ids={"Address": [7]}) == 1
    about, address = AuditEntry.objects.order_by("pk")
    assert (about.difference, about.address) == ({"name": ["Ann", "Anna"]}, ADDRESS)
    assert (address.difference, address.address) == ({"name": ["[erased]"] * 2}, ADDRESS)


def test_the_entry_of_an_erasure_tells_no_values(staff: User, customer: User) -> None:
    @audit.recorded("user.erase")
    def erase(user: User) -> None:
        user.email, user.name = "gone@example.org", "Gone"
        user.save()
        audit.scrub(user_id=user.pk, object_ids={})

    with audit.acting(staff, AuditSource.API, ADDRESS):
        erase(customer)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.address) == ("user.erase", staff, ADDRESS)
    assert entry.difference == {"email": ["[erased]", "[erased]"], "name": ["[erased]", "[erased]"]}

"""The staff screens on which is set up how the shop sells."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from shop.actions import promotions
from shop.actions.promotions import automatic_discounts, vouchers
from shop.actions.shipping import shipping_rates, shipping_zones, tax_rates
from shop.models import AutomaticDiscount, ShippingRate, ShippingZone, TaxRate, User, Voucher
from tests.shop.admin.screens import (
    add_url,
    change_url,
    errors_of,
    list_url,
    messages_of,
    run_action,
    save,
    statements,
)

pytestmark = pytest.mark.django_db
NAMES = ("shippingzone", "taxrate", "voucher", "automaticdiscount")


@pytest.fixture
def zone():
    row = shipping_zones.create(name="Near", countries=["US", "CA"])
    shipping_rates.create(row, name="Standard", price=500)
    shipping_rates.create(row, name="Express", price=1500, max_total=100_000)
    return row


def set_up(count):
    """`count` more of everything that the screens list."""
    codes = "AD AE AF AG AI AL AM AO AR AT AU AW".split()
    for number in range(TaxRate.objects.count(), TaxRate.objects.count() + count):
        row = shipping_zones.create(name=f"Zone {number}", countries=[codes[number]])
        shipping_rates.create(row, name="Standard", price=500)
        tax_rates.create(country=codes[number], basis_points=1900)
        vouchers.create(code=f"FIVE-{number}", kind="fixed", amount=500)
        automatic_discounts.create(name=f"Sale {number}", basis_points=500)


@pytest.mark.parametrize("name", NAMES)
def test_lists_take_constant_sql(owner, name):
    set_up(2)
    statements(owner, list_url(name))
    few = statements(owner, list_url(name))
    set_up(4)
    assert len(statements(owner, list_url(name))) == len(few)


@pytest.mark.parametrize("name", NAMES)
def test_add_forms_open(owner, name):
    assert owner.get(add_url(name)).status_code == 200


def test_a_zone_is_made_with_its_rates(owner):
    rates = {
        "rates-TOTAL_FORMS": 2,
        "rates-0-name": "Standard",
        "rates-0-price": "5",
        "rates-0-is_active": "on",
        "rates-1-name": "Express",
        "rates-1-price": "15.50",
        "rates-1-min_total": "",
        "rates-1-max_total": "999.99",
        "rates-1-min_weight": "0",
        "rates-1-max_weight": "30000",
        "rates-0-min_weight": "0",
    }
    changes = {"name": "Near", "countries": ["CA", "US"], **rates}
    assert save(owner, add_url("shippingzone"), changes).status_code == 302
    zone = ShippingZone.objects.get()
    assert shipping_zones.countries_of_each([zone.pk])[zone.pk] == ["CA", "US"]
    fields = "name price min_total max_total min_weight max_weight position is_active".split()
    assert list(zone.rates.order_by("position").values_list(*fields)) == [
        ("Standard", 500, 0, None, 0, None, 0, True),
        ("Express", 1550, 0, 99_999, 0, 30_000, 1, False),
    ]


def test_rates_are_changed_reordered_and_removed(owner, zone):
    changes = {"rates-0-price": "6", "rates-0-position": 1, "rates-1-position": 0}
    assert save(owner, change_url(zone), changes).status_code == 302
    rows = zone.rates.order_by("position").values_list("name", "price")
    assert list(rows) == [("Express", 1500), ("Standard", 600)]
    assert save(owner, change_url(zone), {"rates-0-DELETE": "on"}).status_code == 302
    assert ShippingRate.objects.get().name == "Standard"


def test_what_an_action_refuses_stands_beside_its_field(owner, zone):
    far = shipping_zones.create(name="Far", countries=["JP"])
    response = save(owner, change_url(far), {"countries": ["JP", "US"]})
    assert errors_of(response) == ["US belongs to the zone “Near”."]
    assert "countries" in response.context["adminform"].form.errors
    response = save(owner, change_url(zone), {"rates-1-min_total": "1000.01"})
    assert errors_of(response) == ["The upper bound lies below the lower one."]
    response = save(owner, change_url(zone), {"rates-1-price": "a lot"})
    assert errors_of(response) == ["Enter an amount such as 12.50."]
    assert ShippingRate.objects.filter(price=1500, min_total=0).exists()


def test_a_zone_goes_with_its_rates(owner, zone):
    owner.post(reverse("admin:shop_shippingzone_delete", args=[zone.pk]), {"post": "yes"})
    assert not ShippingRate.objects.exists()


def test_a_rate_of_a_former_currency_keeps_its_amounts(owner, zone):
    ShippingRate.objects.update(currency="EUR")
    content = owner.get(change_url(zone)).content.decode()
    assert "Price (EUR)" in content
    response = save(owner, change_url(zone), {"rates-0-price": "7"})
    assert errors_of(response) == ["Its amounts are in EUR. Make a new one instead."]


@pytest.mark.parametrize(
    ("typed", "stored"), [("19", 1900), ("7.25", 725), ("7.5 %", 750), ("0", 0), ("100", 10_000)]
)
def test_percentages_are_stored_as_basis_points(owner, typed, stored):
    save(owner, add_url("taxrate"), {"country": "DE", "basis_points": typed})
    rate = TaxRate.objects.get()
    assert rate.basis_points == stored
    form = owner.get(change_url(rate)).context["adminform"].form
    assert form["basis_points"].value() == typed.removesuffix(" %")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"basis_points": "7.255"}, "Enter a percentage such as 7.25."),
        ({"basis_points": "-1"}, "Enter a percentage such as 7.25."),
        ({"basis_points": "100.01"}, "Basis points go from 0 to 10000, which is 100 %."),
        ({"basis_points": ""}, "This field is required."),
        ({"country": ""}, "This field is required."),
        ({"region": "Bayern"}, "Addresses in DE name no region, so a rate is for all of it."),
        ({"category": "Books"}, "There is a rate for this place and category already."),
    ],
)
def test_tax_rates_are_refused(owner, changes, error):
    tax_rates.create(country="DE", category="books", basis_points=700)
    form = {"country": "DE", "basis_points": "19"} | changes
    assert errors_of(save(owner, add_url("taxrate"), form)) == [error]
    assert TaxRate.objects.count() == 1


def test_a_voucher_has_the_value_of_its_kind(owner):
    form = {"code": "welcome10", "kind": "percent", "basis_points": "10", "is_active": "on"}
    assert save(owner, add_url("voucher"), form).status_code == 302
    voucher = promotions.find("WELCOME10")
    assert (voucher.value, voucher.minimum_subtotal) == (1000, 0)
    response = save(owner, change_url(voucher), {"kind": "fixed"})
    assert "amount" in response.context["adminform"].form.errors
    assert save(owner, change_url(voucher), {"kind": "fixed", "amount": "5"}).status_code == 302
    voucher.refresh_from_db()
    assert (voucher.kind, voucher.value) == ("fixed", 500)
    form = owner.get(change_url(voucher)).context["adminform"].form
    assert (form["amount"].value(), form["basis_points"].value()) == ("5.00", None)
    changes = {"minimum_subtotal": "", "usage_limit": "0"}
    response = save(owner, change_url(voucher), changes)
    assert errors_of(response) == ["This is a whole number from 1 to 2147483647."]


def test_a_taken_code_is_told(owner):
    vouchers.create(code="TAKEN", kind="free_shipping")
    response = save(owner, add_url("voucher"), {"code": "taken", "kind": "free_shipping"})
    assert errors_of(response) == ["This code is already taken."]
    response = save(owner, add_url("voucher"), {"code": "TAKEN", "kind": "free_shipping"})
    assert errors_of(response) == ["This code is already taken."]


def test_a_used_voucher_is_not_deleted(owner):
    voucher = vouchers.create(code="USED", kind="free_shipping")
    unused = vouchers.create(code="UNUSED", kind="free_shipping")
    promotions.redeem(voucher.pk)
    url = reverse("admin:shop_voucher_delete", args=[voucher.pk])
    response = owner.post(url, {"post": "yes"}, follow=True)
    told = ["Orders have used it. Deactivate it instead."]
    assert messages_of(response) == told
    data = {"action": "delete_selected", "_selected_action": [voucher.pk, unused.pk]}
    response = owner.post(list_url("voucher"), data | {"post": "yes"}, follow=True)
    assert messages_of(response) == told
    # All of them or none; and it is as active as it was.
    assert Voucher.objects.filter(is_active=True).count() == 2


def test_vouchers_are_found_by_the_beginning_of_their_code(owner):
    vouchers.create(code="WELCOME10", kind="percent", basis_points=1000, usage_limit=5)
    vouchers.create(code="FREE", kind="free_shipping")
    response = owner.get(list_url("voucher", q="welc"))
    assert [row.code for row in response.context["cl"].result_list] == ["WELCOME10"]
    content = response.content.decode()
    assert "10 %" in content
    assert "0 of 5" in content


def test_a_discount_is_made_and_changed(owner):
    form = {"name": "Summer", "basis_points": "5", "minimum_subtotal": "100", "is_active": "on"}
    assert save(owner, add_url("automaticdiscount"), form).status_code == 302
    discount = AutomaticDiscount.objects.get()
    assert (discount.basis_points, discount.minimum_subtotal) == (500, 10_000)
    dates = {
        "starts_at_0": "2027-01-02",
        "starts_at_1": "00:00:00",
        "ends_at_0": "2027-01-01",
        "ends_at_1": "00:00:00",
    }
    response = save(owner, change_url(discount), dates)
    assert errors_of(response) == ["It must end after it starts."]
    assert save(owner, change_url(discount), {"minimum_subtotal": ""}).status_code == 302
    discount.refresh_from_db()
    assert discount.minimum_subtotal == 0


def test_times_are_in_the_time_zone_of_the_shop(owner, settings):
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    content = owner.get(add_url("voucher")).content.decode()
    assert content.count("In the time zone Europe/Berlin.") == 2
    assert "Times in Europe/Berlin" in content
    form = {
        "code": "november",
        "kind": "free_shipping",
        "is_active": "on",
        "starts_at_0": "2026-06-01",
        "starts_at_1": "00:00:00",
        "ends_at_0": "2026-12-01",
        "ends_at_1": "00:00:00",
    }
    assert save(owner, add_url("voucher"), form).status_code == 302
    row = Voucher.objects.get()
    assert row.starts_at.isoformat() == "2026-05-31T22:00:00+00:00"
    assert row.ends_at.isoformat() == "2026-11-30T23:00:00+00:00"
    assert "1 Dec 2026, 00:00" in owner.get(list_url("voucher")).content.decode()
    content = owner.get(change_url(row)).content.decode()
    assert 'value="2026-12-01"' in content
    # Saved once more, nothing moves.
    assert save(owner, change_url(row), {**form, "usage_limit": "5"}).status_code == 302
    row.refresh_from_db()
    assert row.ends_at.isoformat() == "2026-11-30T23:00:00+00:00"


def test_an_hour_that_does_not_exist_is_refused(owner, settings):
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    form = {
        "code": "spring",
        "kind": "free_shipping",
        "starts_at_0": "2027-03-28",
        "starts_at_1": "02:30:00",
    }
    response = save(owner, add_url("voucher"), form)
    assert "Europe/Berlin" in errors_of(response)[0]
    assert not Voucher.objects.exists()


def test_who_only_looks_sees_amounts_as_people_write_them(client, people, zone):
    client.force_login(people.clerk)
    rows = [
        (zone, ["15.00 USD", "1000.00 USD", "CA, US"]),
        (tax_rates.create(country="US", region="CA", basis_points=725), ["7.25 %"]),
        (vouchers.create(code="FIVE", kind="fixed", amount=501), ["5.01 USD"]),
        (vouchers.create(code="TEN", kind="percent", basis_points=1050), ["10.5 %"]),
        (automatic_discounts.create(name="Sale", basis_points=333), ["3.33 %"]),
    ]
    for row, texts in rows:
        content = client.get(change_url(row)).content.decode()
        for text in texts:
            assert text in content
        assert client.post(change_url(row), {}).status_code == 403


def test_who_may_only_add_gets_the_form(client, people):
    people.clerk.user_permissions.set(
        Permission.objects.filter(codename__in=["add_voucher", "view_voucher"])
    )
    client.force_login(User.objects.get(pk=people.clerk.pk))
    form = {"code": "five", "kind": "fixed", "amount": "5"}
    assert save(client, add_url("voucher"), form).status_code == 302
    assert Voucher.objects.get().value == 500


def test_the_sidebar_leads_to_what_may_be_seen(client, people):
    people.clerk.user_permissions.set(Permission.objects.filter(codename="view_voucher"))
    client.force_login(User.objects.get(pk=people.clerk.pk))
    groups = client.get(list_url("voucher")).context["sidebar_navigation"]
    found = {group["title"]: [item["title"] for item in group["items"]] for group in groups}
    assert found["Selling"] == ["Vouchers"]
    assert client.get(list_url("taxrate")).status_code == 403


def test_the_first_page_lists_the_screens_as_the_sidebar_does(client, people):
    client.force_login(people.clerk)
    context = client.get(reverse("admin:index")).context
    apps, groups = context["app_list"], context["sidebar_navigation"]
    listed = {app["name"]: [model["name"] for model in app["models"]] for app in apps}
    assert listed == {each["title"]: [item["title"] for item in each["items"]] for each in groups}
    assert listed["Background"] == ["Dead letters and retries", "Events"]
    (catalog, *_) = apps
    assert catalog["app_url"] == catalog["models"][0]["admin_url"] == list_url("product")


def test_no_country_is_chosen_for_a_new_rate(owner):
    assert not owner.get(add_url("taxrate")).context["adminform"].form["country"].value()


def test_selected_rows_are_deleted_through_actions(owner):
    rows = [tax_rates.create(country=code, basis_points=1) for code in ("DE", "FR")]
    run_action(owner, "taxrate", "delete_selected", rows)
    assert TaxRate.objects.count() == 2
    data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
    owner.post(list_url("taxrate"), data | {"post": "yes"})
    assert not TaxRate.objects.exists()

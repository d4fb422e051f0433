"""Staff keep the addresses of customers on a screen of their own, by the same rules."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from shop.actions.customers import addresses
from shop.models import Address, User

PLACE = {"line1": "Allee 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
ADD = "/admin/shop/address/add/"
FORM = {"name": "Ann Baker", **PLACE, "phone": "030 123456"}


def screen(address: Address, what: str = "change") -> str:
    return reverse(f"admin:shop_address_{what}", args=[address.pk])


@pytest.fixture
def screens(staff: User, client: Client) -> Client:
    client.force_login(staff)
    return client


def test_an_address_is_added_changed_and_deleted(screens: Client, customer: User) -> None:
    answer = screens.post(ADD, FORM | {"user": customer.pk})
    assert answer.status_code == 302
    address = Address.objects.get()
    assert (address.user, address.phone) == (customer, "+4930123456")
    assert address.default_shipping_key == customer.pk
    answer = screens.post(screen(address), FORM | {"line1": "Allee 2"})
    assert answer.status_code == 302
    address.refresh_from_db()
    assert (address.line1, address.user) == ("Allee 2", customer)
    assert screens.get(reverse("admin:shop_address_changelist")).status_code == 200
    screens.post(screen(address, "delete"), {"post": "yes"})
    assert not Address.objects.exists()


def test_all_faults_stand_beside_their_fields(screens: Client, customer: User) -> None:
    wrong = {"user": customer.pk, "postal_code": "", "name": "\u200b", "phone": "12"}
    answer = screens.post(ADD, FORM | wrong)
    errors = answer.context["adminform"].form.errors
    assert answer.status_code == 200
    assert set(errors) == {"postal_code", "name", "phone"}
    assert not Address.objects.exists()


def test_staff_pages_normalize_as_the_api_does(screens: Client, customer: User) -> None:
    sent = {
        "name": "\u2066Ann Baker\u2069",
        "line1": "Tower １",
        "city": "Dubai Marina",
        "region": "dubai",
        "postal_code": "00000",
        "country": "AE",
        "phone": "+971 50 123 4567 ext. 9",
    }
    answer = screens.post(ADD, sent | {"user": customer.pk})
    assert answer.status_code == 302
    stored = Address.objects.values("name", "line1", "line2", "city", "region", "phone").get()
    assert stored == {
        "name": "Ann Baker",
        "line1": "Tower 1",
        "line2": "Dubai Marina",
        "city": "",
        "region": "إمارة دبيّ",
        "phone": "+971501234567;ext=9",
    }


@pytest.mark.parametrize("names", [(), ("view_user", "change_user")])
def test_the_screen_is_for_those_with_the_permission(
    names: Any, client: Client, customer: User
) -> None:
    address = addresses.create(customer, name="Ann Baker", **PLACE)
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(clerk)
    assert client.get(screen(address)).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="view_address"))
    assert client.get(screen(address)).status_code == 200
    assert client.post(screen(address), FORM | {"line1": "Allee 2"}).status_code == 403
    assert Address.objects.get().line1 == "Allee 1"

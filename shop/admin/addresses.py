"""Addresses of customers."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from shop.actions.customers import addresses
from shop.admin.fields import CountryField
from shop.admin.writing import ActionAdmin, ActionForm
from shop.models import Address


class AddressForm(ActionForm):
    country = CountryField()

    class Meta:
        labels: ClassVar[dict[str, str]] = {"line1": "Line 1", "line2": "Line 2"}


@admin.register(Address)
class AddressAdmin(ActionAdmin):
    form = AddressForm
    fields = (
        "user",
        "name",
        "company",
        "line1",
        "line2",
        ("district", "city"),
        ("region", "postal_code"),
        "country",
        "phone",
        ("default_shipping", "default_billing"),
        "created_at",
    )
    readonly_fields = ("default_shipping", "default_billing", "created_at")
    autocomplete_fields = ("user",)
    list_display = ("name", "user", "city", "country", "default_shipping", "default_billing")
    list_select_related = ("user",)
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("user__email_key",)
    search_help_text = "E-mail address of the customer"

    @admin.display(description="Default for shipping", boolean=True)
    def default_shipping(self, address: Address) -> bool:
        return address.default_shipping_key is not None

    @admin.display(description="Default for billing", boolean=True)
    def default_billing(self, address: Address) -> bool:
        return address.default_billing_key is not None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # An address does not move to another customer.
        return (*self.readonly_fields, "user") if obj else self.readonly_fields

    def create_row(self, fields: dict[str, Any]) -> Address:
        return addresses.create(fields.pop("user"), **fields)

    def change_row(self, row: Address, changes: dict[str, Any]) -> Address:
        return addresses.update(row, **changes)

    def delete_row(self, row: Address) -> None:
        addresses.delete(row)

"""One valid input for every mutation that is not open to anyone."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from graphql_relay import from_global_id

from schema.root import schema
from shop.actions.orders import token_of
from shop.models import Order
from tests.shop.selling import BERLIN_INPUT

FIELDS = schema.graphql_schema.mutation_type.fields
OPEN = {
    "cartAddressesSet",
    "cartCreate",
    "cartEmailSet",
    "cartLinesAdd",
    "cartLinesRemove",
    "cartLinesUpdate",
    "cartNoticesDismiss",
    "cartReminderSet",
    "cartShippingSet",
    "cartVoucherApply",
    "cartVoucherRemove",
    "checkoutComplete",
    "customerConfirm",
    "customerRegister",
    "emailConfirm",
    "orderCancelByToken",
    "orderReorder",
    "passwordReset",
    "passwordResetRequest",
    "refreshToken",
    "revokeToken",
    "tokenAuth",
    "verifyToken",
}
# For everyone who is signed in: they write what is the caller's own.
OWN = {
    "accountErase",
    "accountExport",
    "addressCreate",
    "addressDelete",
    "addressUpdate",
    "cartMerge",
    "emailChange",
    "orderCancel",
    "otpBegin",
    "otpDisable",
    "otpEnable",
    "otpRecoveryCodesCreate",
    "passwordChange",
    "profileUpdate",
    "reviewDelete",
    "reviewSubmit",
    "sessionRevoke",
    "sessionRevokeAll",
    "wishlistAdd",
    "wishlistRemove",
}
# They take more than one input to succeed; their own tests show it.
WITH_CODES = {"otpDisable", "otpEnable", "otpRecoveryCodesCreate"}
GUARDED = sorted(FIELDS.keys() - OPEN - OWN)


def _opened(order: str) -> dict[str, str]:
    """What whoever has the mail about an order knows."""
    row = Order.objects.get(pk=from_global_id(order).id)
    return {"number": row.number, "token": token_of(row)}


# One valid input for each mutation, given the shop that it is sent to.
SAMPLES: dict[str, Callable[[SimpleNamespace], dict[str, Any]]] = {
    "accountErase": lambda shop: {"password": "an owner password"},
    "accountExport": lambda shop: {},
    "addressCreate": lambda shop: {
        "name": "Ann Baker",
        "line1": "Allee 2",
        "city": "Berlin",
        "postalCode": "10115",
        "country": "DE",
    },
    "addressDelete": lambda shop: {"id": shop.address},
    "addressUpdate": lambda shop: {"id": shop.address, "line1": "Allee 3"},
    "attributeCreate": lambda shop: {"name": "Colour", "values": ["Red"]},
    "attributeDelete": lambda shop: {"id": shop.attribute},
    "attributeUpdate": lambda shop: {"id": shop.attribute, "addValues": ["Wool"]},
    "attributeValueDelete": lambda shop: {"id": shop.value},
    "attributeValueUpdate": lambda shop: {"id": shop.value, "name": "Earthenware"},
    "automaticDiscountCreate": lambda shop: {"name": "Winter", "basisPoints": 500},
    "automaticDiscountDelete": lambda shop: {"id": shop.discount},
    "automaticDiscountUpdate": lambda shop: {"id": shop.discount, "name": "Autumn"},
    "brandCreate": lambda shop: {"name": "Another"},
    "brandDelete": lambda shop: {"id": shop.brand},
    "brandUpdate": lambda shop: {"id": shop.brand, "name": "Renamed"},
    "cartAddressesSet": lambda shop: {"cart": shop.cart_token, "shippingAddress": BERLIN_INPUT},
    "cartCreate": lambda shop: {"lines": [{"variant": shop.sold, "quantity": 1}]},
    "cartEmailSet": lambda shop: {"cart": shop.cart_token, "email": "ann@example.org"},
    "cartLinesAdd": lambda shop: {
        "cart": shop.cart_token,
        "lines": [{"variant": shop.sold, "quantity": 1}],
    },
    "cartLinesRemove": lambda shop: {"cart": shop.cart_token, "lines": [shop.cart_line]},
    "cartLinesUpdate": lambda shop: {
        "cart": shop.cart_token,
        "lines": [{"line": shop.cart_line, "quantity": 0}],
    },
    "cartMerge": lambda shop: {"cart": shop.cart_token},
    "cartNoticesDismiss": lambda shop: {"cart": shop.cart_token},
    "cartReminderSet": lambda shop: {"cart": shop.cart_token, "wanted": True},
    "cartShippingSet": lambda shop: {"cart": shop.cart_token, "shippingRate": shop.rate},
    "cartVoucherApply": lambda shop: {"cart": shop.cart_token, "code": "TENOFF"},
    "cartVoucherRemove": lambda shop: {"cart": shop.cart_token},
    "categoryCreate": lambda shop: {"name": "Another"},
    "categoryDelete": lambda shop: {"id": shop.category},
    "categoryUpdate": lambda shop: {"id": shop.category, "name": "Renamed"},
    "collectionCreate": lambda shop: {"name": "Another", "products": [shop.product]},
    "collectionDelete": lambda shop: {"id": shop.collection},
    "collectionUpdate": lambda shop: {"id": shop.collection, "products": [shop.product]},
    "digitalContentRemove": lambda shop: {"variant": shop.download},
    "digitalContentSet": lambda shop: {
        "variant": shop.download,
        "kind": "LINK",
        "content": "https://files.example.com/ladle.pdf",
    },
    "emailChange": lambda shop: {"email": "new@example.org", "password": "an owner password"},
    "exportOrders": lambda shop: {"statuses": ["CONFIRMED"]},
    "exportProducts": lambda shop: {},
    "fulfillmentCancel": lambda shop: {"id": shop.mistaken},
    "fulfillmentUpdate": lambda shop: {"id": shop.fulfillment, "trackingNumber": "1Z"},
    "importProducts": lambda shop: {
        "file": SimpleUploadedFile("catalog.csv", b"Handle,Title\nladle,Ladle\n")
    },
    "jobCancel": lambda shop: {"id": shop.job},
    "mediaCreate": lambda shop: {"product": shop.product, "url": "https://example.org/2.jpg"},
    "mediaDelete": lambda shop: {"id": shop.media},
    "mediaUpdate": lambda shop: {"id": shop.media, "alt": "From behind"},
    "orderCancel": lambda shop: {"id": shop.promised},
    "orderCancelByToken": lambda shop: _opened(shop.promised),
    "orderCapture": lambda shop: {"id": shop.promised},
    "orderDeliveryRevoke": lambda shop: {"id": shop.delivered, "line": shop.delivered_line},
    "orderFulfil": lambda shop: {"id": shop.order},
    "orderLinesCancel": lambda shop: {
        "id": shop.promised,
        "lines": [{"line": shop.promised_line, "quantity": 1}],
    },
    "orderNoteCreate": lambda shop: {"id": shop.order, "text": "Called her."},
    "orderRefund": lambda shop: {"id": shop.order, "shipping": True},
    "orderReorder": lambda shop: {"id": shop.order},
    "orderReturn": lambda shop: {"id": shop.order},
    "orderUpdate": lambda shop: {"id": shop.promised, "email": "right@example.org"},
    "otpBegin": lambda shop: {"password": "an owner password"},
    "otpDisable": lambda shop: {"code": "123456"},
    "otpEnable": lambda shop: {"code": "123456"},
    "otpRecoveryCodesCreate": lambda shop: {"code": "123456"},
    "passwordChange": lambda shop: {
        "currentPassword": "an owner password",
        "newPassword": "ladles of clay 7",
    },
    "productCreate": lambda shop: {"name": "Another", "variants": [{"sku": "A-1"}]},
    "productDelete": lambda shop: {"id": shop.product},
    "productUpdate": lambda shop: {"id": shop.product, "name": "Renamed"},
    "profileUpdate": lambda shop: {"name": "Ann Ladle"},
    "reviewDelete": lambda shop: {"id": shop.review},
    "reviewModerate": lambda shop: {"id": shop.review, "status": "REJECTED"},
    "reviewSubmit": lambda shop: {"product": shop.offered, "rating": 5},
    "sessionRevoke": lambda shop: {"id": shop.session},
    "sessionRevokeAll": lambda shop: {},
    "shippingRateCreate": lambda shop: {"zone": shop.zone, "name": "Express", "amount": "15"},
    "shippingRateDelete": lambda shop: {"id": shop.rate},
    "shippingRateUpdate": lambda shop: {"id": shop.rate, "amount": "6"},
    "shippingZoneCreate": lambda shop: {"name": "Far", "countries": ["JP"]},
    "shippingZoneDelete": lambda shop: {"id": shop.zone},
    "shippingZoneUpdate": lambda shop: {"id": shop.zone, "countries": ["US", "MX"]},
    "taxRateCreate": lambda shop: {"country": "DE", "taxCategory": "books", "basisPoints": 700},
    "taxRateDelete": lambda shop: {"id": shop.tax},
    "taxRateUpdate": lambda shop: {"id": shop.tax, "basisPoints": 1600},
    "stockAdjust": lambda shop: {"variant": shop.variant, "delta": 3, "reason": "RECEIVED"},
    "stockUpdate": lambda shop: {"variant": shop.variant, "lowAt": 2},
    "userActivate": lambda shop: {"id": shop.inactive},
    "userCreate": lambda shop: {"email": "new@example.org"},
    "userDeactivate": lambda shop: {"id": shop.shopper},
    "userDelete": lambda shop: {"id": shop.shopper},
    "userPasswordResetSend": lambda shop: {"id": shop.shopper},
    "userUpdate": lambda shop: {"id": shop.shopper, "name": "Renamed"},
    "variantCreate": lambda shop: {
        "product": shop.product,
        "options": [{"name": "Size", "value": "L"}],
    },
    "variantDelete": lambda shop: {"id": shop.variant},
    "variantUpdate": lambda shop: {"id": shop.variant, "sku": "OTHER-1"},
    "voucherCreate": lambda shop: {"code": "FIVE", "kind": "FIXED", "amount": "5"},
    "voucherDelete": lambda shop: {"id": shop.voucher},
    "voucherUpdate": lambda shop: {"id": shop.voucher, "usageLimit": 10},
    "webhookDeliveryReplay": lambda shop: {"id": shop.delivery},
    "webhookEndpointCreate": lambda shop: {"url": "https://2.example.org/", "topics": ["ALL"]},
    "webhookEndpointDelete": lambda shop: {"id": shop.endpoint},
    "webhookEndpointRotateSecret": lambda shop: {"id": shop.endpoint},
    "webhookEndpointTest": lambda shop: {"id": shop.endpoint},
    "webhookEndpointUpdate": lambda shop: {"id": shop.endpoint, "description": "For tea"},
    "wishlistAdd": lambda shop: {"variant": shop.offered_variant},
    "wishlistRemove": lambda shop: {"variant": shop.wished_variant},
}


def permission_of(mutation: str) -> str | None:
    return FIELDS[mutation].resolve.__self__.permission


def permissions_needed(mutation: str) -> set[str]:
    """All that it takes to call it."""
    mutation_class = FIELDS[mutation].resolve.__self__
    return {mutation_class.permission, *mutation_class.further_permissions}

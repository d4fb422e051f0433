"""Orders: how they come to be, and how they go from one state to the next.

numbers   what people call an order, and the token that opens it
delivering digital delivery of lines that are not shipped
placing   the snapshot of a priced cart
moving    pending, confirmed, cancelled, expired: guarded moves, with stock and voucher
vouchers  which orders have used one
timeline  what happened to it
postage   the tax on its postage, by rate

Everything here runs in the caller's transaction. Payments and what comes after a sale lie above.
"""

from shop.actions.orders.delivering import (
    count_download,
    deliver,
    delivery_url,
    opened_delivery,
    renew,
    revoke,
    revoke_given_back,
)
from shop.actions.orders.moving import (
    cancel_unpaid,
    complete,
    confirm,
    give_up,
    reopen,
    revive,
    set_fulfillment_status,
    set_payment_status,
    status_when_captured,
)
from shop.actions.orders.numbers import digest_of, numbered, opened, rotate_token, token_of
from shop.actions.orders.placing import Placing, place
from shop.actions.orders.postage import loaded, postage_of, shared_anew, stored
from shop.actions.orders.timeline import record
from shop.actions.orders.vouchers import give_back_voucher, redeem

__all__ = [
    "Placing",
    "cancel_unpaid",
    "complete",
    "confirm",
    "count_download",
    "deliver",
    "delivery_url",
    "digest_of",
    "give_back_voucher",
    "give_up",
    "loaded",
    "numbered",
    "opened",
    "opened_delivery",
    "place",
    "postage_of",
    "record",
    "redeem",
    "renew",
    "reopen",
    "revive",
    "revoke",
    "revoke_given_back",
    "rotate_token",
    "set_fulfillment_status",
    "set_payment_status",
    "shared_anew",
    "status_when_captured",
    "stored",
    "token_of",
]

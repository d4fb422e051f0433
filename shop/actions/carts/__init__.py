"""Carts: what shoppers are about to buy, by token or by account, always at today's prices.

opening   whose cart it is, and by which token it is opened
holding   one change at a time, and the version that tells it
lines     what is in it
details   e-mail, addresses, shipping, voucher
pricing   what it costs, and what the shopper should know
adding    units from elsewhere, as far as there is stock
merging   a guest's cart becomes the account's at sign-in
reopening the cart of an order that is cancelled before it is paid
reordering the lines of an order once more
leaving   reminders of carts that were left, and their end
"""

from shop.actions.carts.details import (
    apply_voucher,
    remove_voucher,
    set_addresses,
    set_email,
    set_reminder,
    set_shipping,
)
from shop.actions.carts.leaving import open_reminder, purge, remind, reminder_token
from shop.actions.carts.lines import (
    MAX_QUANTITY,
    add,
    add_to_own,
    dismiss_notices,
    remove,
    update,
)
from shop.actions.carts.merging import merge
from shop.actions.carts.opening import (
    create,
    digest_of,
    find,
    find_to_change,
    is_for_another,
    pending_of,
)
from shop.actions.carts.pricing import Notice, NoticeCode, PricedCart, priced, priced_all
from shop.actions.carts.reopening import hold_carts, reopen
from shop.actions.carts.reordering import reorder

__all__ = [
    "MAX_QUANTITY",
    "Notice",
    "NoticeCode",
    "PricedCart",
    "add",
    "add_to_own",
    "apply_voucher",
    "create",
    "digest_of",
    "dismiss_notices",
    "find",
    "find_to_change",
    "hold_carts",
    "is_for_another",
    "merge",
    "open_reminder",
    "pending_of",
    "priced",
    "priced_all",
    "purge",
    "remind",
    "reminder_token",
    "remove",
    "remove_voucher",
    "reopen",
    "reorder",
    "set_addresses",
    "set_email",
    "set_reminder",
    "set_shipping",
    "update",
]

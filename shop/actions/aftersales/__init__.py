"""What comes after a sale: shipping, cancelling, paying back, taking back (docs/orders.md).

fulfilling  parcels
returning   what comes back
refunding   money that goes back, for units, for the shipping or as an amount
delivering  digital deliveries that are revoked
cancelling  orders that are called off as a whole
capturing   money that was promised
noting      notes of staff
holding     one change of an order at a time, and what its lines say of it
shares      what of a line's price is for some of its units
correcting  tracking of parcels, and parcels that were recorded by mistake
reducing    units that are removed before the payment
updating    addresses and the e-mail address of an order
repeating   requests that come twice
texts       what people write about it

Every change begins with a guarded UPDATE of the order, which locks it: of any number who try the
same, one succeeds. `cancel`, `refund` and `capture` ask providers: they commit by themselves what
is wanted, and then ask; the others run in the caller's transaction.
"""

from shop.actions.aftersales.cancelling import cancel
from shop.actions.aftersales.capturing import capture
from shop.actions.aftersales.correcting import cancel_fulfillment, update_fulfillment
from shop.actions.aftersales.delivering import revoke_delivery
from shop.actions.aftersales.fulfilling import fulfil, shippable, unshipped
from shop.actions.aftersales.noting import note
from shop.actions.aftersales.reducing import cancel_lines
from shop.actions.aftersales.refunding import Wanted, refund, shipping_left, unrefunded
from shop.actions.aftersales.returning import Back, return_, unreturned
from shop.actions.aftersales.updating import update_order

__all__ = [
    "Back",
    "Wanted",
    "cancel",
    "cancel_fulfillment",
    "cancel_lines",
    "capture",
    "fulfil",
    "note",
    "refund",
    "return_",
    "revoke_delivery",
    "shippable",
    "shipping_left",
    "unrefunded",
    "unreturned",
    "unshipped",
    "update_fulfillment",
    "update_order",
]

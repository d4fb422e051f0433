"""What a shopper is told about the price: why something asked for was left out."""

from enum import StrEnum


class Notice(StrEnum):
    """None of these is an error: the cart has a price all the same."""

    VOUCHER_NOT_STARTED = "VOUCHER_NOT_STARTED"
    VOUCHER_EXPIRED = "VOUCHER_EXPIRED"
    VOUCHER_USED_UP = "VOUCHER_USED_UP"
    VOUCHER_USED_BY_CUSTOMER = "VOUCHER_USED_BY_CUSTOMER"
    VOUCHER_WRONG_CURRENCY = "VOUCHER_WRONG_CURRENCY"
    VOUCHER_BELOW_MINIMUM = "VOUCHER_BELOW_MINIMUM"
    # Nothing fits the country, the weight and the value of the order.
    SHIPPING_NOT_OFFERED = "SHIPPING_NOT_OFFERED"
    # The rate asked for does not fit; the cheapest that does was taken.
    SHIPPING_RATE_NOT_OFFERED = "SHIPPING_RATE_NOT_OFFERED"

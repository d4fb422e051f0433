"""What a cart costs, worked out anew and simply: unit price times quantity, minus, plus."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from shop.pricing.arithmetic import spread
from tests.shop.selling_machine.model.rows import Cart, Line, Price, Voucher

if TYPE_CHECKING:
    from tests.shop.selling_machine.model.goods import Shelves

HOME = "DE"
# Off every order from so much on, in basis points and minor units.
AUTOMATIC, AUTOMATIC_FROM = 1000, 3000
SHIPPING_TAX = 2000


def price_of(cart: Cart, shop: "Shelves") -> Price:
    """What `cart` costs now: of what is for sale of it."""
    wanted = {key: line for key, line in cart.lines.items() if shop.is_for_sale(key)}
    subtotals = {key: line.quantity * (shop.goods[key].price or 0) for key, line in wanted.items()}
    subtotal = sum(subtotals.values())
    voucher, refusal = _voucher(cart, shop, subtotal)
    automatic = share(subtotal, AUTOMATIC) if subtotal >= AUTOMATIC_FROM else 0
    off = automatic + (_off(voucher, subtotal - automatic) if voucher else 0)
    taxes = {key: shop.goods[key].tax if cart.country == HOME else 0 for key in wanted}
    # Of units that are left over, the line with the higher tax gets the first.
    order = sorted(wanted, key=lambda key: (-taxes[key], -subtotals[key], key))
    parts = dict(zip(order, spread(off, [subtotals[key] for key in order]), strict=True))
    lines = []
    for key, line in wanted.items():
        left = subtotals[key] - parts[key]
        tax, total = _taxed(left, taxes[key], shop.tax_included)
        unit = shop.goods[key].price or 0
        lines.append(Line(key, line.quantity, unit, subtotals[key], parts[key], tax, total))
    rates, rate, unshipped = _shipping(cart, shop, subtotal, bool(wanted))
    fee = shop.rates[rate].price if rate is not None else 0
    free = fee if voucher and voucher.kind == "free_shipping" else 0
    fee_tax, fee_total = _taxed(fee - free, SHIPPING_TAX, shop.tax_included)
    return Price(
        lines=lines,
        subtotal=subtotal,
        discount=off + free,
        shipping=fee,
        shipping_discount=free,
        shipping_tax=fee_tax,
        tax=sum(line.tax for line in lines) + fee_tax,
        total=sum(line.total for line in lines) + fee_total,
        voucher=voucher is not None,
        notices=[notice for notice in (refusal, unshipped) if notice],
        rates=rates,
    )


def share(amount: int, basis_points: int) -> int:
    """So much of an amount, half a unit rounded up."""
    return (amount * basis_points + 5_000) // 10_000


def _taxed(amount: int, rate: int, included: bool) -> tuple[int, int]:
    """The tax on an amount, and what is paid."""
    if included:
        whole = 10_000 + rate
        return (2 * amount * rate + whole) // (2 * whole), amount
    tax = share(amount, rate)
    return tax, amount + tax


def _off(voucher: Voucher, goods: int) -> int:
    if voucher.kind == "percent":
        return share(goods, voucher.value)
    return min(voucher.value, goods) if voucher.kind == "fixed" else 0


def is_used_up(voucher: Voucher, shop: Any, email: str, account: int | None) -> bool:
    """Whether a customer, known by an address and perhaps an account, has had all their uses."""
    if voucher.customer_limit is None:
        return False
    addresses = {email.casefold(), shop.emails[account].casefold() if account else email.casefold()}
    mine = [
        address
        for address, user in voucher.by
        if address in addresses or (account is not None and user == account)
    ]
    return len(mine) >= voucher.customer_limit


def _voucher(cart: Cart, shop: "Shelves", subtotal: int) -> tuple[Voucher | None, str]:
    """The voucher of the cart if it applies, else why it does not."""
    if cart.voucher is None:
        return None, ""
    voucher = shop.vouchers[cart.voucher]
    now: datetime = shop.now()
    if not voucher.active or (voucher.ends_at is not None and voucher.ends_at <= now):
        return None, "VOUCHER_EXPIRED"
    if voucher.limit is not None and voucher.used >= voucher.limit:
        return None, "VOUCHER_USED_UP"
    if is_used_up(voucher, shop, cart.email, cart.owner):
        return None, "VOUCHER_USED_BY_CUSTOMER"
    if subtotal < voucher.minimum:
        return None, "VOUCHER_BELOW_MINIMUM"
    return voucher, ""


def _shipping(
    cart: Cart, shop: "Shelves", subtotal: int, has_lines: bool
) -> tuple[list[int], int | None, str]:
    """The rates on offer, the one that is taken, and what the shopper is told about it."""
    if not cart.country or not has_lines:
        return [], None, ""
    offered = [
        key for key, rate in shop.rates.items() if cart.country == HOME and rate.minimum <= subtotal
    ]
    if not offered:
        return [], None, "SHIPPING_NOT_OFFERED"
    if cart.rate in offered:
        return offered, cart.rate, ""
    cheapest = min(offered, key=lambda key: shop.rates[key].price)
    return offered, cheapest, "SHIPPING_RATE_NOT_OFFERED" if cart.rate is not None else ""

"""Whether the shop and the model agree, and whether the books of the shop agree with themselves."""

from collections import defaultdict
from typing import Any

from shop.actions import inventory
from shop.models import (
    Cart,
    CartLine,
    DemoCharge,
    Order,
    OrderLine,
    Payment,
    Redemption,
    Refund,
    Stock,
    Voucher,
)
from tests.shop.selling_machine.model import rows
from tests.shop.selling_machine.model.shop import Shop


def check(shop: Shop) -> None:
    """After every step."""
    check_stock(shop)
    check_carts(shop)
    check_vouchers(shop)
    check_orders(shop)
    check_money(shop)


def check_stock(shop: Shop) -> None:
    assert inventory.discrepancies() == []
    found = {
        variant: (on_hand, reserved, backorder)
        for variant, on_hand, reserved, backorder in Stock.objects.values_list(
            "variant_id", "on_hand", "reserved", "backorder"
        )
    }
    assert found == {
        key: (one.on_hand, one.reserved, one.backorder) for key, one in shop.goods.items()
    }
    assert not [
        key for key, (on_hand, reserved, free) in found.items() if reserved > on_hand and not free
    ]
    promised: dict[int, int] = defaultdict(int)
    for order in shop.orders:
        for key, units in order.promised.items():
            promised[key] += units
    assert {key: one.reserved for key, one in shop.goods.items() if one.reserved} == {
        key: units for key, units in promised.items() if units
    }


def check_carts(shop: Shop) -> None:
    columns = ("status", "version", "user_id", "active_key", "email", "voucher__code")
    found = {pk: row for pk, *row in Cart.objects.values_list("pk", *columns, "shipping_rate_id")}
    assert found == {
        key: [
            one.status, one.version, one.owner, one.active_of, one.email, one.voucher, one.rate
        ]
        for key, one in shop.carts.items()
    }  # fmt: skip
    lines: dict[int, list[tuple[int, int, int | None]]] = {key: [] for key in shop.carts}
    columns = ("cart_id", "variant_id", "quantity", "seen_price")
    for cart, *line in CartLine.objects.order_by("pk").values_list(*columns):
        lines[cart].append(tuple(line))
    assert lines == {
        key: [(variant, line.quantity, line.seen) for variant, line in one.lines.items()]
        for key, one in shop.carts.items()
    }


def check_vouchers(shop: Shop) -> None:
    by: dict[str, list[str]] = {code: [] for code in shop.vouchers}
    for code, who in Redemption.objects.values_list("voucher__code", "customer_key"):
        by[code].append(who)
    for code, used, limit in Voucher.objects.values_list("code", "used", "usage_limit"):
        assert used == shop.vouchers[code].used == len(by[code])
        assert limit is None or used <= limit
        assert sorted(by[code]) == sorted(email for email, _ in shop.vouchers[code].by)


def check_orders(shop: Shop) -> None:
    lines: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    columns = (
        "variant_id", "quantity", "unit_price", "subtotal", "discount", "tax", "total",
        "fulfilled", "cancelled", "returned", "refunded",
    )  # fmt: skip
    for order, *line in OrderLine.objects.order_by("order_id", "position").values_list(
        "order_id", *columns
    ):
        lines[order].append(tuple(line))
    found = {order.pk: order for order in Order.objects.order_by("pk")}
    assert list(found) == [order.pk for order in shop.orders]
    for model in shop.orders:
        order = found[model.pk]
        assert (order.status, order.payment_status, order.fulfillment_status) == (
            model.status, model.payment_status, model.fulfillment_status,
        )  # fmt: skip
        assert lines[order.pk] == [
            tuple(getattr(line, name.removesuffix("_id")) for name in columns)
            for line in model.lines
        ]
        assert (order.email, order.user_id) == (model.email, model.user)
        assert order.shipping_address["line1"] == model.street
        assert order.cart_id in (
            {model.cart} if model.status in rows.LIVING else {model.cart, None}
        )
        _check_sums(shop, model, order, lines[order.pk])
    for cart in shop.carts:
        assert len(shop.living(cart)) <= 1


def _check_sums(shop: Shop, model: rows.Order, order: Order, lines: list[tuple[Any, ...]]) -> None:
    """An order's lines, discount, shipping and tax add up to its total."""
    price = model.price
    assert (order.subtotal, order.discount, order.shipping, order.tax, order.total) == (
        price.subtotal, price.discount, price.shipping, price.tax, price.total,
    )  # fmt: skip
    on_top = 0 if shop.tax_included else order.tax
    assert order.total == order.subtotal - order.discount + order.shipping + on_top
    subtotal, discount, tax, total = (sum(line[place] for line in lines) for place in (3, 4, 5, 6))
    assert subtotal == order.subtotal
    assert discount + price.shipping_discount == order.discount
    assert tax + price.shipping_tax == order.tax
    shipping = order.shipping - price.shipping_discount
    shipping += 0 if shop.tax_included else price.shipping_tax
    assert total + shipping == order.total


def check_money(shop: Shop) -> None:
    payments = {row.order_id: row for row in Payment.objects.all()}
    models = {order.pk: order.payment for order in shop.orders if order.payment}
    columns = ("provider", "state", "amount", "authorized", "captured", "refunded")
    assert {pk: [getattr(row, name) for name in columns] for pk, row in payments.items()} == {
        pk: [getattr(row, name) for name in columns] for pk, row in models.items()
    }
    assert len(payments) == Payment.objects.count()
    refunds: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for order, amount, state in Refund.objects.order_by("pk").values_list(
        "payment__order_id", "amount", "state"
    ):
        refunds[order].append((amount, state))
    assert refunds == {
        pk: [(refund.amount, refund.state) for refund in row.refunds]
        for pk, row in models.items()
        if row.refunds
    }
    _check_books(payments, models)


def _check_books(payments: dict[int, Payment], models: dict[int, rows.Payment]) -> None:
    """The provider has what the shop thinks it has, where nothing is under way; for orders only."""
    orders = {row.key: pk for pk, row in payments.items()}
    found = {}
    for charge in DemoCharge.objects.all():
        assert charge.key in orders
        found[orders[charge.key]] = charge
        assert charge.currency == payments[orders[charge.key]].currency
        assert charge.amount == payments[orders[charge.key]].amount
    books = {
        pk: (row.state, row.captured, sorted(row.refunds.values())) for pk, row in found.items()
    }
    assert books == {
        pk: (row.charge.state, row.charge.captured, sorted(row.charge.refunds))
        for pk, row in models.items()
        if row.charge
    }
    settled = [pk for pk, row in models.items() if row.provider == "demo" and not is_under_way(row)]
    there = sum(books[pk][1] - sum(books[pk][2]) for pk in settled if pk in books)
    here = sum(payments[pk].captured - payments[pk].refunded for pk in settled)
    assert there == here


def is_under_way(payment: rows.Payment) -> bool:
    """Whether the provider knows something that the shop does not, or the other way round."""
    if payment.due is not None or any(refund.state == "pending" for refund in payment.refunds):
        return True
    return (
        payment.charge is not None
        and payment.charge.state == "captured"
        and payment.state not in rows.TAKEN
    )

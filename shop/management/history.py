"""What happened in the sample shop: customers, their orders and what became of them, reviews.

All of it is done by the shop's own actions, one after another as it is said to have happened
(shop/sample/history.toml), so that stock, ratings and timelines are as they would be.
"""

from __future__ import annotations

import random
import secrets
import tomllib
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from shop.actions import aftersales, carts, checkout, payments, promotions, reviews, shipping
from shop.actions.customers import addresses, users
from shop.actions.reviews import wishlist
from shop.backends import DEMO_EMAIL
from shop.management.selling import VOUCHER
from shop.models import (
    Address,
    Cart,
    CartLine,
    Fulfillment,
    MovementReason,
    Order,
    OrderEvent,
    OutboxEvent,
    Payment,
    Product,
    Redemption,
    Refund,
    Reservation,
    Return,
    Review,
    ReviewStatus,
    StockMovement,
    User,
    Variant,
    WishlistItem,
)

_FILE = Path(__file__).parents[1] / "sample" / "history.toml"
_SEED = 1
# Days before today: when the goods were counted first, and when the customers came.
_OPENED, _CUSTOMERS = 70, 60
# Provider and method by what the file calls a way to pay.
_WAYS = {"demo": ("demo", ""), "authorized": ("demo", "authorize"), "bank": ("manual", "")}
# Whatever an action has written the time of.
_TIMES: dict[type[models.Model], tuple[str, ...]] = {
    User: ("created_at", "confirmed_at"),
    Address: ("created_at",),
    Cart: ("created_at", "updated_at"),
    CartLine: ("created_at",),
    Order: ("created_at", "updated_at", "confirmed_at", "ended_at"),
    OrderEvent: ("created_at",),
    Payment: ("created_at", "updated_at"),
    Refund: ("created_at", "updated_at"),
    Fulfillment: ("created_at",),
    Return: ("created_at",),
    Redemption: ("created_at",),
    Reservation: ("created_at",),
    StockMovement: ("created_at",),
    Review: ("created_at", "updated_at"),
    WishlistItem: ("created_at",),
}
_Facts = dict[str, Any]
_Step = tuple[datetime, Callable[[], object]]


def planned() -> History | None:
    """What can happen here; None but for a shop to try out, with the sample catalog, in which
    nothing has happened yet.

    Nobody is made up in a shop that sells: it would not know its own sales from these.
    """
    if not (settings.DEMO_ACCOUNT and User.objects.filter(email=DEMO_EMAIL).exists()):
        return None
    if not {"demo", "manual"} <= set(payments.offered(settings.SHOP_CURRENCY)):
        return None
    others = User.objects.exclude(email=DEMO_EMAIL)
    if any(rows.exists() for rows in (others, Order.objects, Cart.objects, Review.objects)):
        return None
    told = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    countries = {facts["country"] for facts in told["customers"].values()}
    if not countries <= set(shipping.countries()) or promotions.find(VOUCHER) is None:
        return None
    skus = {sku for facts in told["orders"] + told["carts"] for sku in facts["lines"]}
    skus |= {facts["sku"] for facts in told["wishes"]}
    slugs = {facts["product"] for facts in told["reviews"]}
    published = Product.objects.published()
    priced = Variant.objects.filter(product__in=published, price__isnull=False)
    variants = {str(variant.sku): variant for variant in priced.filter(sku__in=skus)}
    products = {product.slug: product for product in published.filter(slug__in=slugs)}
    is_sold = variants.keys() == skus and products.keys() == slugs
    return History(told, variants, products) if is_sold else None


class History:
    """Does what the file tells, in the order in which it happened.

    Args:
        told: the file.
        variants, products: by SKU and by slug.
    """

    def __init__(
        self, told: _Facts, variants: dict[str, Variant], products: dict[str, Product]
    ) -> None:
        self._told, self._variants, self._products = told, variants, products
        self._staff = User.objects.get(email=DEMO_EMAIL)
        self._users: dict[str, User] = {}
        self._orders: dict[int, int] = {}
        # The same whenever it is made, but for the present, and for numbers nobody may guess.
        self._chance = random.Random(_SEED)  # noqa: S311 - hours of the day, no secrets.
        self._now = timezone.now()
        # Of a network for examples, which no client has; another one each time, because tries are
        # counted longer than a database lives that is made anew.
        self._client = f"2001:db8:{secrets.randbelow(2**16):x}:{secrets.randbelow(2**16):x}::1"

    def happen(self) -> None:
        # Not as a default within SQL: MariaDB takes no key of zero.
        last = OutboxEvent.objects.aggregate(last=models.Max("pk"))["last"] or 0
        began: list[datetime] = []
        # Sorted, because the ledger of stock tells after each movement what is there.
        steps = sorted(self._steps(), key=lambda step: step[0])
        try:
            for _, step in steps:
                began.append(timezone.now())
                step()
        finally:
            # Nobody is written to about it, now or when the server starts.
            events = OutboxEvent.objects.filter(pk__gt=last)
            events.update(dispatched_at=timezone.now())
            self._set_back(began, [moment for moment, _ in steps])

    def _steps(self) -> list[_Step]:
        """What is done, each with when it is said to have happened."""
        steps: list[_Step] = []
        for name, facts in self._told["customers"].items():
            steps.append((self._at(_CUSTOMERS), partial(self._join, name, facts)))
        for key, order in enumerate(self._told["orders"]):
            placed = self._at(order["day"])
            steps.append((placed, partial(self._place, key, order)))
            for step in order.get("then", ()):
                moment = placed + timedelta(days=step["after"])
                steps.append((moment, partial(self._go_on, key, step)))
        work = {"reviews": self._review, "wishes": self._wish, "carts": self._fill}
        for kind, do in work.items():
            steps += [(self._at(facts["day"]), partial(do, facts)) for facts in self._told[kind]]
        return steps

    def _at(self, day: int) -> datetime:
        """Some time of the ten hours before this time of that day."""
        return self._now - timedelta(days=day, minutes=self._chance.randint(10, 600))

    def _join(self, name: str, facts: _Facts) -> None:
        # Without a password: nobody signs in as one of them.
        user = users.create(by=self._staff, email=facts["email"], name=facts["name"])
        addresses.create(user, **_address(facts))
        self._users[name] = user

    def _fill(self, facts: _Facts) -> Cart:
        customer = facts["customer"]
        cart, _ = carts.create(self._users[customer])
        wanted = [(self._variants[sku].pk, units) for sku, units in facts["lines"].items()]
        carts.add(cart, wanted)
        address = _address(self._told["customers"][customer])
        carts.set_addresses(cart, shipping=address, billing=None)
        if code := facts.get("voucher"):
            carts.apply_voucher(cart, code)
        cart.refresh_from_db()
        return cart

    def _place(self, key: int, facts: _Facts) -> None:
        cart = self._fill(facts)
        provider, method = _WAYS[facts["pay"]]
        wish = checkout.Wish(
            cart=cart,
            user=self._users[facts["customer"]],
            provider=provider,
            method=method,
            expected_total=carts.priced(cart).price.total,
            note=facts.get("note", ""),
        )
        self._orders[key] = checkout.complete(wish, key=None).order.pk

    def _go_on(self, key: int, facts: _Facts) -> None:
        order = Order.objects.get(pk=self._orders[key])
        keys = dict(order.lines.values_list("sku", "pk"))
        lines = {keys[sku]: units for sku, units in facts.get("lines", {}).items()}
        reason, by = facts.get("reason", ""), self._staff
        match facts["do"]:
            case "ship":
                number = str(self._chance.randrange(10**11, 10**12))
                carrier = facts["carrier"]
                aftersales.fulfil(
                    order, lines or None, carrier=carrier, tracking_number=number, by=by
                )
            case "capture":
                aftersales.capture(order, by=by)
            case "cancel":
                aftersales.cancel(order, reason=reason, by=by)
            case "return":
                back = {line: aftersales.Back(units) for line, units in lines.items()}
                aftersales.return_(order, back, reason=reason, by=by)
            case "refund":
                wanted = aftersales.Wanted(lines=dict(lines))
                aftersales.refund(order, wanted, reason=reason, by=by)

    def _review(self, facts: _Facts) -> None:
        user = self._users[facts["customer"]]
        review = reviews.submit(
            user,
            self._products[facts["product"]],
            rating=facts["rating"],
            title=facts.get("title", ""),
            body=facts["body"],
            author=user.name.split()[0],
            address=self._client,
        )
        status = facts.get("status", ReviewStatus.APPROVED)
        if status != ReviewStatus.PENDING:
            reviews.moderate(review, status)

    def _wish(self, facts: _Facts) -> None:
        wishlist.add(self._users[facts["customer"]], self._variants[facts["sku"]])

    def _set_back(self, began: list[datetime], moments: list[datetime]) -> None:
        """Sets all times to when it is said to have happened.

        Actions take no time, and rightly so: nobody may date an order. So everything has happened
        just now, and is set back here by as much as the step that wrote it.
        """
        if not began:
            return
        for model, names in _TIMES.items():
            rows = list(model._default_manager.filter(created_at__gte=began[0]))
            for row in rows:
                for name in names:
                    if (time := getattr(row, name)) is not None:
                        step = bisect_right(began, time) - 1
                        setattr(row, name, moments[step] + (time - began[step]))
            model._default_manager.bulk_update(rows, names, batch_size=100)
        # What was sold then had been counted before.
        counted = StockMovement.objects.filter(reason=MovementReason.OPENING)
        imported = counted.filter(created_at__gte=self._now - timedelta(days=_CUSTOMERS))
        imported.update(created_at=self._now - timedelta(days=_OPENED))


def _address(facts: _Facts) -> _Facts:
    return {name: part for name, part in facts.items() if name != "email"}

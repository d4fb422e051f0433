"""What is compiled for one serves all of their kind, and shows nobody what is another's."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission

from schema.engine import execution
from schema.engine.statements import Statement
from shop.actions import carts, customers, inventory, orders
from shop.actions.catalog import products
from shop.actions.customers import addresses
from shop.actions.reviews import submit, wishlist
from shop.models import Order, Product, Stock, User
from tests.engine.paths import COMPILED, GENERIC, run
from tests.schema.one_of_everything import sold_to
from tests.shop.orders import variant

ORDER = """number events { totalCount edges { node { kind actor { email } } } }
  lines(last: 5) { totalCount edges { node { sku } } }
  payments { edges { node { state refunds { edges { node { amount { amount } } } } } } }
  fulfillments { edges { node { lines { edges { node { quantity } } } } } }
  returns { edges { node { lines { edges { node { quantity } } } } } }"""
CART = "email lines { totalCount edges { node { quantity variant { sku } } } }"
EVERYTHING = f"""query($product: ID!, $order: ID!) {{
  viewer {{
    email
    orders(first: 5) {{ totalCount edges {{ node {{ {ORDER} }} }} }}
    newest: orders(orderBy: {{field: TOTAL, direction: ASC}}, last: 1) {{
      edges {{ node {{ number }} }} }}
    addresses {{ edges {{ node {{ city name }} }} }}
    reviews {{ edges {{ node {{ title }} }} }}
    wishlist {{ totalCount edges {{ node {{ variantId }} }} }}
    sessions {{ edges {{ node {{ userAgent }} }} }}
  }}
  cart {{ {CART} }}
  order(id: $order) {{ {ORDER} }}
  nodes(ids: [$product, $order]) {{ __typename id ... on Order {{ email }} }}
}}"""
_DAY = timedelta(days=1)
PLACE = {"line1": "Allee 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}


@pytest.fixture
def product(db: None) -> Product:
    rows = [{"sku": "SPOON", "price": 700}]
    product = products.create(name="Spoon", variants=rows, status="published")
    inventory.open_stock([Stock(variant=product.variants.get(), on_hand=20)])
    return product


@pytest.fixture
def customer_with(product: Product) -> Callable[[str], User]:
    """`customer_with(name)`: somebody who has one of everything that an account can have."""

    def make(name: str) -> User:
        user = User.objects.create_user(f"{name}@example.org")
        sold_to(user)
        addresses.create(user, name=name, **PLACE)
        submit(user, product, rating=4, title=f"By {name}", address="192.0.2.1")
        wishlist.add(user, variant())
        device = customers.Device(user_agent=name)
        customers.open_session(user, lifetime=_DAY, device=device)
        cart, _ = carts.create(user)
        carts.add(cart, [(product.variants.get().pk, 2)])
        return user

    return make


@pytest.fixture
def compiled_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever SQL is compiled."""
    made: list[str] = []
    compile_one = Statement.__init__

    def counted(self: Statement, queryset: Any, *args: Any, **options: Any) -> None:
        made.append(queryset.model.__name__)
        compile_one(self, queryset, *args, **options)

    monkeypatch.setattr(Statement, "__init__", counted)
    return made


def both(document: str, values: dict[str, Any], user: Any) -> dict[str, Any]:
    """The answer, which is the same on both paths."""
    execution.counts.clear()
    answer = run(COMPILED, document, values, user)
    assert {way for way, _ in execution.counts} <= {"compiled"}
    assert answer == run(GENERIC, document, values, user)
    return json.loads(answer)


def test_each_sees_their_own_by_the_same_statements(
    customer_with: Any, product: Product, gid: Any, compiled_statements: list[str]
) -> None:
    ann, bob = customer_with("ann"), customer_with("bob")
    values = {"product": gid(product), "order": gid(ann.orders.first())}
    hers = both(EVERYTHING, values, ann)["data"]
    assert compiled_statements
    compiled_statements.clear()
    his = both(EVERYTHING, values, bob)["data"]
    assert compiled_statements == []
    for user, found in ((ann, hers), (bob, his)):
        viewer = found["viewer"]
        name = user.email.partition("@")[0]
        numbers = set(user.orders.values_list("number", flat=True))
        orders_found = [edge["node"] for edge in viewer["orders"]["edges"]]
        assert viewer["email"] == found["cart"]["email"] == user.email
        assert viewer["orders"]["totalCount"] == len(numbers)
        assert {node["number"] for node in orders_found} == numbers
        assert viewer["newest"]["edges"][0]["node"]["number"] in numbers
        assert {edge["node"]["name"] for edge in viewer["addresses"]["edges"]} == {name}
        assert [edge["node"]["title"] for edge in viewer["reviews"]["edges"]] == [f"By {name}"]
        assert [edge["node"]["userAgent"] for edge in viewer["sessions"]["edges"]] == [name]
        assert viewer["wishlist"]["totalCount"] == found["cart"]["lines"]["totalCount"] == 1
        full = next(node for node in orders_found if node["returns"]["edges"])
        for part in ("lines", "events", "payments", "fulfillments"):
            assert full[part]["edges"], part
    assert hers["order"]["number"] in {order.number for order in ann.orders.all()}
    assert his["order"] is None
    assert his["nodes"] == [hers["nodes"][0], None]


def test_whoever_asks_first_the_others_see_what_is_theirs(
    customer_with: Any, product: Product, gid: Any, staff: User
) -> None:
    ann, bob = customer_with("ann"), customer_with("bob")
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    packer = User.objects.create_user("packer@example.org", is_staff=True)
    packer.user_permissions.set(Permission.objects.filter(codename="view_order"))
    order = ann.orders.first()
    values = {"product": gid(product), "order": gid(order)}
    seen = {
        user: both(EVERYTHING, values, user)["data"]["order"] is not None
        for user in (staff, clerk, AnonymousUser(), bob, packer, ann)
    }
    seen |= {
        user: both(EVERYTHING, values, user)["data"]["order"] is not None
        for user in (ann, packer, bob, AnonymousUser(), clerk, staff)
    }
    assert [seen[user] for user in (staff, packer, ann)] == [True] * 3
    assert [seen[user] for user in (clerk, bob, AnonymousUser())] == [False] * 3


def test_reviews_that_wait_are_told_to_their_authors_only(
    customer_with: Any, product: Product, staff: User
) -> None:
    document = """{ product(slug: "spoon") { reviews { edges { node { title } } } }
      viewer { reviews { edges { node { title } } } } }"""
    ann, bob = customer_with("ann"), customer_with("bob")
    for user, titles in ((ann, ["By ann"]), (bob, ["By bob"]), (ann, ["By ann"])):
        found = both(document, {}, user)["data"]
        assert [edge["node"]["title"] for edge in found["viewer"]["reviews"]["edges"]] == titles
        assert found["product"]["reviews"]["edges"] == []


def test_guests_see_what_their_secrets_open_by_the_same_statements(
    customer_with: Any, gid: Any, compiled_statements: list[str]
) -> None:
    customer_with("ann")
    first, second, third = (sold_to(_guest(number))["order"] for number in range(3))
    Order.objects.update(user=None)

    def asked(*opened: Order) -> list[Any]:
        fields = " ".join(
            f'o{place}: orderByToken(number: "{one.number}", '
            f'token: "{orders.token_of(one)}") {{ {ORDER} }}'
            for place, one in enumerate(opened)
        )
        # What was opened before is seen by its id as well; what was not is not.
        fields += f' node(id: "{gid(third)}") {{ id }}'
        found = both(f"{{ {fields} }}", {}, AnonymousUser())["data"]
        return [*(found[f"o{place}"]["number"] for place in range(len(opened))), found["node"]]

    assert asked(first) == [first.number, None]
    assert asked(first, second) == [first.number, second.number, None]
    assert asked(second, third) == [second.number, third.number, {"id": gid(third)}]
    document = """query($number: String!, $token: String!) {
      orderByToken(number: $number, token: $token) { number } }"""
    for place, one in enumerate((first, second, third)):
        values = {"number": one.number, "token": orders.token_of(one)}
        compiled_statements.clear()
        assert both(document, values, AnonymousUser())["data"]["orderByToken"] == {
            "number": one.number
        }
        assert bool(compiled_statements) is (place == 0)
    wrong = {"number": first.number, "token": orders.token_of(second)}
    assert both(document, wrong, AnonymousUser())["data"] == {"orderByToken": None}


def _guest(number: int) -> User:
    return User.objects.create_user(f"guest{number}@example.org")


def test_guests_see_the_cart_that_their_token_opens(
    product: Product, compiled_statements: list[str]
) -> None:
    document = f"query($token: String) {{ cart(token: $token) {{ {CART} }} }}"
    made = [carts.create(AnonymousUser()) for _ in range(2)]
    for quantity, (cart, _) in enumerate(made, 1):
        carts.add(cart, [(product.variants.get().pk, quantity)])
    for quantity, (_, token) in enumerate(made, 1):
        compiled_statements.clear()
        found = both(document, {"token": token}, AnonymousUser())["data"]["cart"]
        assert found["lines"]["edges"][0]["node"]["quantity"] == quantity
        assert bool(compiled_statements) is (quantity == 1)
    assert both(document, {"token": "another"}, AnonymousUser())["data"] == {"cart": None}

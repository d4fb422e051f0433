"""Gives an empty shop something to show, and tells a newcomer where to look."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from shop.actions.customers import privileges
from shop.backends import DEMO_EMAIL
from shop.management import history, selling
from shop.models import Product, User, Variant

SAMPLE = Path(__file__).resolve().parents[2] / "sample" / "catalog.csv"
DEMO_PASSWORD = "let-me-sell"  # noqa: S105 - made with DEBUG on only, and printed at every start.

FIRST_QUERY = """\
{
  products(first: 2, filter: {category: "home-kitchen"}, orderBy: {field: PRICE, direction: ASC}) {
    totalCount
    edges {
      node {
        name
        minPrice { amount currency }
        category { name }
        variants(first: 1) { edges { node { sku } } }
      }
    }
  }
}"""

# From a cart to a paid order: what is in capitals comes from the answer before.
FIRST_ORDER = (
    """\
mutation {
  cartCreate(input: {email: "ann@example.org", lines: [{variant: "%s", quantity: 2}]}) {
    token
    userErrors { code message }
  }
}""",
    """\
mutation {
  cartAddressesSet(input: {cart: "TOKEN", shippingAddress: {
    name: "Ann Baker", line1: "1 Main St", city: "Springfield", region: "IL",
    postalCode: "62704", country: "US"
  }}) {
    cart { subtotal { amount } shipping { amount } tax { amount } total { amount } }
    userErrors { code message field }
  }
}""",
    """\
mutation {
  checkoutComplete(input: {cart: "TOKEN", payment: {provider: DEMO}, expectedTotal: "TOTAL"}) {
    order { number status paymentStatus total { amount currency } }
    token
    userErrors { code message field }
  }
}""",
)


class Command(BaseCommand):
    help = (
        "Loads the sample catalog, with shipping, taxes and a voucher, if the shop is empty; in "
        "development, makes a demo account, and customers with orders and reviews."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="print a welcome for a server on this port")
        parser.add_argument(
            "--catalog-only", action="store_true", help="make no customers, orders and reviews"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not Product.objects.exists():
            self.stdout.write("The shop is empty: importing the sample catalog.")
            # First, so that a shop with products is never left without when this is cut off.
            if not selling.is_set_up():
                selling.set_up()
            call_command("import_products", str(SAMPLE), stdout=self.stdout, stderr=self.stderr)
        if settings.DEMO_ACCOUNT and not User.objects.exists():
            demo = User.objects.create_user(DEMO_EMAIL, DEMO_PASSWORD, name="Demo staff")
            privileges.make_owner(demo)
        if not options["catalog_only"] and (planned := history.planned()):
            self.stdout.write("Nobody has bought yet: making customers, orders and reviews.")
            planned.happen()
        if options["port"]:
            self._welcome(options["port"])

    def _welcome(self, port: int) -> None:
        home = f"http://127.0.0.1:{port}"
        lines = [
            "",
            f"  GraphQL and GraphiQL  {home}/graphql/",
            f"  Staff screens         {home}/admin/",
        ]
        if settings.DEMO_ACCOUNT and User.objects.filter(email=DEMO_EMAIL).exists():
            lines.append(f"  Demo account          {DEMO_EMAIL}  {DEMO_PASSWORD}")
        lines += ["", "  A first query to paste into GraphiQL:", ""]
        lines += [FIRST_QUERY, ""]
        if variant := _for_sale():
            key = b64encode(f"Variant:{variant.pk}".encode()).decode()
            lines += ["  A first order, one after another:", ""]
            lines += [FIRST_ORDER[0] % key, *FIRST_ORDER[1:], ""]
        self.stdout.write("\n".join(lines))


def _for_sale() -> Variant | None:
    """The cheapest variant of which there are some, if the shop takes the demo's payments."""
    if not settings.DEMO_PAYMENTS:
        return None
    rows = Variant.objects.filter(
        product__in=Product.objects.published(), price__isnull=False, stock__available__gt=1
    )
    return rows.order_by("price", "pk").first()

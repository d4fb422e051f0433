"""Gives an empty shop something to show, and tells a newcomer where to look."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from shop.actions.customers import privileges
from shop.backends import DEMO_EMAIL
from shop.management import selling
from shop.models import Product, User

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


class Command(BaseCommand):
    help = (
        "Loads the sample catalog, with shipping, taxes and a voucher, if the shop is empty; in "
        "development, makes a demo account."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="print a welcome for a server on this port")

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
        self.stdout.write("\n".join([*lines, FIRST_QUERY, ""]))

"""Whether the books agree can be asked at any time."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from shop.actions import inventory
from shop.models import Stock


def test_stock_that_was_written_past_the_books_is_found(
    careless_shelf: Any, django_assert_num_queries: Any
) -> None:
    sound, counted, promised = careless_shelf(5, 5, 5)
    with transaction.atomic():
        inventory.reserve("order:1", {sound.pk: 2, promised.pk: 1}, expires_at=None)
    Stock.objects.filter(variant=counted).update(on_hand=7)
    Stock.objects.filter(variant=promised).update(reserved=3)
    with django_assert_num_queries(1):
        found = inventory.discrepancies()
    assert found == [
        inventory.Discrepancy(counted.pk, on_hand=7, moved=5, reserved=0, promised=0),
        inventory.Discrepancy(promised.pk, on_hand=5, moved=5, reserved=3, promised=1),
    ]


def test_the_command_names_what_does_not_agree_and_fails(careless_shelf: Any) -> None:
    (small,) = careless_shelf(5)
    small.sku = "MUG-S"
    small.save()
    out = StringIO()
    call_command("check_stock", stdout=out)
    assert out.getvalue() == "The books of stock agree.\n"
    Stock.objects.update(on_hand=7)
    with pytest.raises(CommandError, match="1 of the books do not agree"):
        call_command("check_stock", stdout=out)
    assert "MUG-S" in out.getvalue()

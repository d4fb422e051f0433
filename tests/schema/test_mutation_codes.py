"""The description of each mutation names the codes of its user errors."""

import re
from typing import Any

import pytest

from schema.base import Mutation
from schema.permissions import ANYONE
from shop.errors import ErrorCode, OutOfStock, ShopError
from tests.schema.reachable_codes import reachable_codes
from tests.schema.samples import FIELDS

# They only compare what they are given, and answer with errors of the request.
NO_CODES = {"passwordResetRequest", "verifyToken"}


def class_of(mutation: str) -> Any:
    return FIELDS[mutation].resolve.__self__


def named_in_description(mutation: str) -> list[str]:
    found = re.search(r"Errors: ([A-Z_, ]+)\.$", FIELDS[mutation].description)
    return found[1].split(", ") if found else []


@pytest.mark.parametrize("mutation", sorted(FIELDS))
def test_the_description_names_the_codes(mutation: str) -> None:
    assert named_in_description(mutation) == list(class_of(mutation).all_codes)
    assert (named_in_description(mutation) == []) == (mutation in NO_CODES)


@pytest.mark.parametrize("mutation", sorted(FIELDS))
def test_each_declared_code_can_be_raised(mutation: str) -> None:
    assert set(class_of(mutation).all_codes) - reachable_codes(class_of(mutation)) == set()


def test_every_code_is_declared_by_a_mutation() -> None:
    declared = {code for name in FIELDS for code in class_of(name).all_codes}
    assert set(ErrorCode) - declared == set()


class _Sold(Mutation):
    """Sells something."""

    permission = ANYONE
    codes = ("OUT_OF_STOCK",)

    class Input:
        pass


def test_a_declared_code_is_returned() -> None:
    payload = _Sold.refused(OutOfStock(name="Mug", available=1))
    assert [error.code for error in payload.user_errors] == ["OUT_OF_STOCK"]


def test_a_code_that_is_not_declared_fails_the_test_run() -> None:
    error = ShopError()
    error.code = ErrorCode.IN_USE
    with pytest.raises(UserWarning, match="_Sold does not declare IN_USE"):
        _Sold.refused(error)


def test_a_code_that_does_not_exist_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="NO_SUCH_CODE"):

        class _Broken(Mutation):
            """Does nothing."""

            permission = ANYONE
            codes = ("NO_SUCH_CODE",)

            class Input:
                pass


def test_codes_are_found_through_the_functions_that_a_mutation_calls() -> None:
    found = reachable_codes(class_of("cartLinesAdd"))
    assert ErrorCode.OUT_OF_STOCK in found
    assert ErrorCode.IN_USE not in found

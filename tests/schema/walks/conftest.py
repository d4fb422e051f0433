"""Walks over the whole schema: hundreds of tests that find the same shop."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings

from shop.models import User
from tests.schema.one_of_everything import make_shop


@pytest.fixture(scope="module")
def _shop_of_module(django_db_setup: None, django_db_blocker: Any) -> Iterator[SimpleNamespace]:
    """One of everything, made once for all tests of a module: it takes some hundred statements.

    Each test runs in a savepoint of the transaction that holds it, and leaves it as it was.
    """
    # As Django's own TestCase: what is called outside transactions may be called within this one.
    around: Any = transaction.atomic()
    around._from_testcase = True
    quickly = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    with (
        django_db_blocker.unblock(),
        override_settings(BACKGROUND="inline", **quickly),
        pytest.MonkeyPatch.context() as patch,
        around,
    ):
        # After each test Django closes the connection, and with it the transaction would be gone.
        patch.setattr(connection, "close", lambda: None)
        yield make_shop()
        transaction.set_rollback(True)


@pytest.fixture
def shop(_shop_of_module: SimpleNamespace, db: None) -> SimpleNamespace:
    """Global ids of one of everything."""
    found = SimpleNamespace(**vars(_shop_of_module))
    found.owner = User.objects.get(pk=found.owner.pk)
    return found

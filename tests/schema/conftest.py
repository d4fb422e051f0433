"""What tests of every mutation may use: one of everything, and a sample call of each mutation."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shop.models import User
from tests.kept import Kept
from tests.schema.one_of_everything import make_shop
from tests.schema.samples import SAMPLES


@pytest.fixture(scope="session")
def _kept_shop(django_db_setup: None, django_db_blocker: Any) -> Kept:
    with django_db_blocker.unblock():
        return Kept("shop", make_shop)


@pytest.fixture
def shop(db: None, _kept_shop: Kept) -> SimpleNamespace:
    """Global ids of one of everything."""
    return _kept_shop.copied()


@pytest.fixture
def call(
    api: Any, upload: Any, shop: SimpleNamespace
) -> Callable[[str, User | None], dict[str, Any]]:
    def send(mutation: str, user: User | None) -> dict[str, Any]:
        document = (
            f"mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) "
            f"{{ {mutation}(input: $input) {{ userErrors {{ code field }} }} }}"
        )
        values = SAMPLES[mutation](shop)
        if file := values.get("file"):
            return upload(document, user, file, **values)
        return api(document, user, input=values)

    return send

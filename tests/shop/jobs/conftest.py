"""Imports in small batches, and what happens between these."""

from collections.abc import Callable
from typing import Any

import pytest

from shop.actions import importing, jobs
from shop.actions.importing import runner
from shop.actions.jobs import holding, work
from shop.models import Job, User
from tests.shop.jobs.runners import catalog


@pytest.fixture
def queued(staff: User) -> Callable[..., Job]:
    """`queued(dry_run=True)`: an import of six products that nobody runs by itself."""
    return lambda **options: jobs.start_import(catalog(), by=staff, **options)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two products, and progress written after each."""
    monkeypatch.setattr(runner, "BATCH", 2)
    monkeypatch.setattr(holding, "_RENEW", 0.0)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], None]:
    """`between(act)`: from now on calls `act(products)` after each batch of an import."""
    advance = work.ImportWork._advance

    def install(act: Callable[[int], None]) -> None:
        def wrapped(self: Any, step: importing.Progress) -> None:
            act(step.products)
            advance(self, step)

        monkeypatch.setattr(work.ImportWork, "_advance", wrapped)

    return install

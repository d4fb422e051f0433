"""Takes one batch of products into the shop: decides first, then writes in one transaction."""

import copy
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    transaction,
)
from django.utils import timezone

from shop import events
from shop.actions.importing import changing, comparing, creating, current, plans
from shop.actions.importing.comparing import Change
from shop.actions.importing.comparing_variants import release_skus
from shop.actions.importing.current import Current, Keys
from shop.actions.importing.plans import Plan
from shop.actions.importing.reader import Block
from shop.actions.importing.report import Code, Result
from shop.actions.importing.shelves import Shelves
from shop.actions.importing.skus import Skus
from shop.database import is_conflict
from shop.errors import Conflict, ShopError
from shop.models import Attribute

logger = logging.getLogger(__name__)

# Times that a batch is taken when others are in the way.
_TRIES = 3
_GONE = (OperationalError, InterfaceError, InternalError, ProgrammingError)


@dataclass(slots=True)
class Importer:
    """What the batches of one run have in common.

    Attributes:
        reference: for the ledger of the stock.
        skus: in a dry run, SKUs that the batches so far would have taken.
        digests: in a dry run, what the batches so far would have remembered, by handle.
    """

    overwrite: bool = False
    dry_run: bool = False
    reference: str = ""
    shelves: Shelves = field(default_factory=Shelves)
    skus: set[str] = field(default_factory=set)
    digests: dict[str, str] = field(default_factory=dict)

    def take(self, blocks: Sequence[Block]) -> list[Plan]:
        """Imports `blocks`; each plan that comes back has its result and its problems.

        When others were in the way, the batch is taken again. When it fails otherwise, its products
        are taken one by one, and those at fault are reported.

        Raises:
            OperationalError, InterfaceError, InternalError, ProgrammingError: the database is gone,
                locked by someone else, read-only, or has no tables yet: no product can be written.
        """
        for left in reversed(range(_TRIES)):
            try:
                return self._take(blocks)
            except Exception as error:  # One bad product must never stop the others.
                self.shelves.forget()
                if left and _passes(error):
                    continue
                if len(blocks) > 1:
                    break
                if isinstance(error, _GONE):
                    raise
                return [self._failed(blocks[0], error)]
        return [plan for block in blocks for plan in self.take([block])]

    def _failed(self, block: Block, error: Exception) -> Plan:
        plan = plans.begin(block)
        plan.notes.add(Code.NOT_SAVED, _explain(error), block.lines[0])
        plan.result = Result.SKIPPED
        if isinstance(error, DatabaseError):
            logger.warning("Import of %r failed: %s", plan.handle, error)
        elif not isinstance(error, ShopError | Conflict):
            logger.error("Import of %r failed.", plan.handle, exc_info=error)
        return plan

    def _take(self, blocks: Sequence[Block]) -> list[Plan]:
        all_plans = plans.make(blocks, overwrite=self.overwrite)
        if self.dry_run:
            self._recall_rehearsed(all_plans)
        undecided = [plan for plan in all_plans if plan.result is None]
        keys = Keys()
        refreshed = [
            plan for plan in all_plans if plan.result == Result.UNCHANGED and plan.draft is not None
        ]
        if undecided:
            self.shelves.find(plan.drafted for plan in undecided)
            self.shelves.find(plan.past for plan in undecided)
            refreshed += self._settle_equal(undecided, keys)
        to_write = [plan for plan in undecided if plan.result is None]
        refreshed = [plan for plan in refreshed if changing.is_news(plan)]
        if to_write or refreshed:
            with transaction.atomic():
                self._write(to_write, refreshed, keys)
                transaction.set_rollback(self.dry_run)
            if self.dry_run:
                self.shelves.forget()
        if self.dry_run:
            # Only now: a batch that fails is taken again.
            self.digests |= {plan.handle: plan.digest for plan in undecided}
        return all_plans

    def _recall_rehearsed(self, all_plans: Sequence[Plan]) -> None:
        """Settles products that an earlier file of a dry run would have written."""
        for plan in all_plans:
            if plan.result is None and plan.handle in self.digests:
                same = plan.digest == self.digests[plan.handle]
                plan.result = Result.UNCHANGED if same else Result.UPDATED
                plan.draft = None

    def _settle_equal(self, undecided: Sequence[Plan], keys: Keys) -> list[Plan]:
        """Finds products that are in the shop as the file says; they are not even locked.

        Adds to `keys` the variants of the others that have to be locked with their keys.
        """
        present = [plan for plan in undecided if plan.product_id is not None]
        loaded = current.load([plan.product_id or 0 for plan in present])
        equal = []
        # A rehearsal: comparing changes the plan, and is done again under a lock if it finds much.
        rehearsed = [
            (
                plan,
                replace(
                    plan, notes=copy.deepcopy(plan.notes), snapshot=copy.deepcopy(plan.snapshot)
                ),
            )
            for plan in present
        ]
        changes = self._compare([double for _, double in rehearsed], loaded, timezone.now())
        for (plan, double), change in zip(rehearsed, changes, strict=True):
            if change.is_empty:
                plan.notes, plan.snapshot = double.notes, double.snapshot
                plan.result = Result.UNCHANGED
                equal.append(plan)
            keys.gone |= change.variants.keys.gone
            keys.changed |= change.variants.keys.changed
        return equal

    def _write(self, to_write: Sequence[Plan], refreshed: Sequence[Plan], keys: Keys) -> None:
        now = timezone.now()
        for plan in to_write:
            self.shelves.make(comparing.needed(plan, overwrite=self.overwrite))
        present = {plan.product_id: plan for plan in to_write if plan.product_id is not None}
        records = [plan.record for plan in present.values() if plan.record]
        current.lock(present.keys(), records, keys)
        loaded = current.load(present.keys())
        skus = self._skus(to_write, loaded)
        creations, changes = [], []
        # In the order of the file: of two that want a SKU, the first gets it.
        for plan in to_write:
            if plan.product_id is None:
                creations.append(creating.build(plan, self.shelves, skus, now=now))
                plan.result = Result.CREATED
            else:
                changes.append(self._compare_one(plan, loaded, skus, now))
                plan.result = Result.UPDATED
        if not all(keys.covers(change.variants.keys) for change in changes):
            # Locks taken now would be out of order.
            raise Conflict
        changing.free_skus(changes)
        creating.save(creations, reference=self.reference)
        if changes:
            changing.save(changes, now=now, reference=self.reference)
        self._tell(creations, changes)
        changing.save_records([*present.values(), *refreshed])
        if self.dry_run:
            self.skus |= skus.given

    def _tell(self, creations: Sequence[creating.Creation], changes: Sequence[Change]) -> None:
        created = [creation.product for creation in creations]
        events.emit_all("product.created", created, source="import")
        changed = [change.current.product for change in changes]
        events.emit_all("product.updated", changed, source="import")
        events.emit_keys("attribute.updated", Attribute, self.shelves.extended, source="import")
        self.shelves.extended.clear()

    def _compare(
        self, present: Sequence[Plan], loaded: dict[int, Current], now: datetime
    ) -> list[Change]:
        skus = self._skus(present, loaded)
        return [self._compare_one(plan, loaded, skus, now) for plan in present]

    def _compare_one(
        self, plan: Plan, loaded: dict[int, Current], skus: Skus, now: datetime
    ) -> Change:
        found = loaded.get(plan.product_id or 0)
        if found is None:
            raise Conflict
        return comparing.compare(plan, found, self.shelves, skus, overwrite=self.overwrite, now=now)

    def _skus(self, to_write: Iterable[Plan], loaded: dict[int, Current]) -> Skus:
        to_write = list(to_write)
        wanted = {
            sku
            for plan in to_write
            for variant in plan.drafted.variants
            if (sku := variant.units.get("sku"))
        }
        skus = Skus(wanted, self.skus)
        for plan in to_write:
            if plan.product_id in loaded:
                release_skus(plan, loaded[plan.product_id], skus, overwrite=self.overwrite)
        return skus


def _passes(error: Exception) -> bool:
    """Whether others were in the way."""
    return isinstance(error, Conflict) or (
        isinstance(error, OperationalError) and is_conflict(error)
    )


def _explain(error: Exception) -> str:
    """What went wrong, for staff; the technical side is in the log."""
    if isinstance(error, ShopError):
        return error.message
    if isinstance(error, Conflict):
        return "The product was not saved: others changed it at the same time. Import it again."
    if isinstance(error, IntegrityError):
        return "The product was not saved: it conflicts with something that is in the shop."
    if isinstance(error, DataError):
        return "The product was not saved: a value is too long or too large."
    if isinstance(error, DatabaseError):
        return "The product was not saved: the database refused it."
    return "The product was not saved because of an error in the importer; the log has details."

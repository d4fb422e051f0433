"""What is to become of each product of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shop.actions.importing import memory, rules
from shop.actions.importing.drafts import Notes, ProductDraft, Skip, Snapshot
from shop.actions.importing.reader import Block
from shop.actions.importing.report import Result
from shop.models import ImportRecord, Product, ProductFormerSlug


@dataclass(slots=True)
class Plan:
    """One product of a file on its way into the shop.

    Attributes:
        handle: by which it is known, empty when there is none.
        record: what is remembered of it; None for a product new to the importer.
        product_id: the product in the shop, None for one to be created.
        slug: for a product to be created.
        snapshot: what will be remembered.
        result: None while it is not known.
    """

    block: Block
    handle: str
    notes: Notes
    digest: str = ""
    draft: ProductDraft | None = None
    record: ImportRecord | None = None
    product_id: int | None = None
    slug: str = ""
    snapshot: Snapshot = field(default_factory=dict)
    result: Result | None = None

    @property
    def drafted(self) -> ProductDraft:
        """The draft of a plan that was not skipped or settled before the rules."""
        if self.draft is None:
            raise ValueError("The rows of this plan have not been read.")
        return self.draft

    @property
    def base(self) -> Snapshot:
        """The memory to compare with, empty for a product new to the importer."""
        return self.record.snapshot if self.record else {}

    @property
    def past(self) -> ProductDraft:
        """The names that the memory holds, for looking them up."""
        attributes = self.base.get("attributes", {})
        past = ProductDraft(self.handle, 0, {}, collections=self.base.get("collections"))
        past.attributes = {slug: ("", names) for slug, names in attributes.items()}
        return past


def begin(block: Block) -> Plan:
    """A plan that knows no more than its rows."""
    handle = rules.handle_of(block)
    return Plan(block, handle, Notes(block.file, handle or block.handle, block.layout))


def make(blocks: Sequence[Block], *, overwrite: bool) -> list[Plan]:
    """A plan for each of `blocks`, in their order; only reads.

    Those whose rows have not changed since the last import are done with, at the price of one
    query for all.
    """
    plans = [begin(block) for block in blocks]
    sound = [plan for plan in plans if plan.handle and plan.block.fault is None]
    _keep_handles(sound)
    if not overwrite:
        _settle_unchanged(sound)
    for plan in plans:
        if plan.result is None:
            _apply_rules(plan)
    _look_up([plan for plan in plans if plan.result is None])
    for plan in plans:
        if plan.result is None and plan.draft is not None:
            _compare_with_memory(plan, overwrite=overwrite)
    return plans


def _keep_handles(plans: Sequence[Plan]) -> None:
    """Keeps the handles of products that were imported before letters were transliterated."""
    former = {}
    for plan in plans:
        handle = rules.untransliterated_handle_of(plan.block)
        if handle != plan.handle:
            former[handle] = plan
    if former:
        rows = ImportRecord.objects.filter(handle__in=former)
        for handle in rows.values_list("handle", flat=True):
            former[handle].handle = handle


def _settle_unchanged(plans: Sequence[Plan]) -> None:
    rows = ImportRecord.objects.filter(handle__in=[plan.handle for plan in plans])
    known: dict[str, tuple[str, Any]] = {
        handle: (digest, problems)
        for handle, digest, problems in rows.values_list("handle", "digest", "snapshot__problems")
    }
    for plan in plans:
        plan.digest = plan.block.digest()
        digest, problems = known.get(plan.handle, ("", None))
        if digest == plan.digest:
            plan.result = Result.UNCHANGED
            plan.notes.recall(problems or (), plan.block.lines)


def _apply_rules(plan: Plan) -> None:
    try:
        plan.draft = rules.draft(plan.block, plan.handle, plan.notes)
    except Skip as skip:
        plan.result = Result.SKIPPED
        plan.notes.add(skip.code, skip.message, skip.line, column=skip.column)
        return
    plan.digest = plan.digest or plan.block.digest()
    plan.slug = plan.handle


def _look_up(plans: Sequence[Plan]) -> None:
    """Finds the product of each plan: by the memory, else by the slug, else by a former slug."""
    handles = [plan.handle for plan in plans]
    if not handles:
        return
    records = {record.handle: record for record in ImportRecord.objects.filter(handle__in=handles)}
    slugs = {
        slug: (pk, record)
        for slug, pk, record in Product.objects.filter(slug__in=handles).values_list(
            "slug", "pk", "import_record"
        )
    }
    if unknown := set(handles) - records.keys() - slugs.keys():
        former = ProductFormerSlug.objects.filter(slug__in=unknown)
        for slug, pk, record in former.values_list("slug", "owner", "owner__import_record"):
            slugs[slug] = pk, record
    for plan in plans:
        plan.record = records.get(plan.handle)
        if plan.record is not None:
            plan.product_id = plan.record.product_id
        elif plan.handle in slugs:
            pk, record = slugs[plan.handle]
            if record is None:
                plan.product_id = pk
            else:
                # Staff gave this slug to a product that comes from another handle, or it had it.
                plan.slug = ""


def _compare_with_memory(plan: Plan, *, overwrite: bool) -> None:
    base = plan.record.snapshot if plan.record else None
    plan.snapshot = memory.remember(plan.drafted, base, plan.notes, overwrite=overwrite)
    if base is None or overwrite:
        return
    if plan.snapshot == {name: value for name, value in base.items() if name != "problems"}:
        plan.result = Result.UNCHANGED

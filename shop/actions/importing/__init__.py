"""Importing Shopify product CSVs: catalog and stock together. `docs/importing.md` has the rules.

The way of a product: `reader` (rows) -> `rules` (draft) -> `plans` and `memory` (what is new since
the last import) -> `creating`, or `comparing` and `changing` (rows of the shop), a batch at a time
in `batches`.
"""

from shop.actions.importing.delimiters import DELIMITERS
from shop.actions.importing.reader import NotACatalog, Source
from shop.actions.importing.report import Code, Problem, Report, Result, Severity
from shop.actions.importing.runner import Progress, check, run

__all__ = [
    "DELIMITERS",
    "Code",
    "NotACatalog",
    "Problem",
    "Progress",
    "Report",
    "Result",
    "Severity",
    "Source",
    "check",
    "run",
]

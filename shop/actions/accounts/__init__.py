"""What concerns an account as a whole, across all domains.

exporting   everything that the shop keeps about a customer, in a file for them
erasing     the end of it: who it was can no longer be told
delivering  orders of erased accounts that were still to be delivered
removing    what staff do when they delete one
"""

from shop.actions.accounts.delivering import forget_delivered
from shop.actions.accounts.erasing import Kept, erase, erase_own
from shop.actions.accounts.exporting import ExportWork, start_export
from shop.actions.accounts.removing import remove

__all__ = [
    "ExportWork",
    "Kept",
    "erase",
    "erase_own",
    "forget_delivered",
    "remove",
    "start_export",
]

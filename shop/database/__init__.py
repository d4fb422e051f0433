"""What the shop knows of its database server: errors that pass, and readiness.

outages    which database errors pass by themselves, and when to try again
readiness  whether the database answers and has its tables, within a bound
"""

from shop.database.outages import Outage, Reason, is_conflict, outage_of, report
from shop.database.readiness import OK, readiness

__all__ = [
    "OK",
    "Outage",
    "Reason",
    "is_conflict",
    "outage_of",
    "readiness",
    "report",
]

"""The database server: time limits, errors that pass by themselves, readiness.

timeouts   how long a session may wait for a lock, run a statement, or leave a transaction idle
outages    which database errors pass by themselves, and when to try again
readiness  whether the database answers and has its tables, within a bound
"""

from shop.database.outages import Outage, Reason, is_conflict, outage_of, report
from shop.database.readiness import OK, readiness
from shop.database.timeouts import background_thread, install, serve_requests

__all__ = [
    "OK",
    "Outage",
    "Reason",
    "background_thread",
    "install",
    "is_conflict",
    "outage_of",
    "readiness",
    "report",
    "serve_requests",
]

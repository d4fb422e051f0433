"""Generations: what the answer cache watches, so that it never tells what is not so any more.

Each watched table has a generation, a random mark beside the cached answers. An answer is kept
together with the generations of all tables that it was read from, as they were before it was read.
It holds as long as they are the same; whoever writes to a table drops its generation right after
the commit. docs/how-it-works.md tells why that is enough, and what happens when something fails.

tables      which tables are watched, and which ones a statement reads or writes
watching    sees every statement of this process: what was read, what was written
raising     drops generations after commits, and makes good for what could not be dropped
link        a thread's own connection to Redis
readings    what stores tell of a key, and how much they may hold
shared      answers and generations in Redis, for all processes
local       answers in this process, generations in a file, where there is no Redis
holding     how long answers hold while nobody writes
"""

from shop.generations.holding import lifetimes
from shop.generations.raising import TASK, drop, note_events, pay, repair, store
from shop.generations.tables import WATCHED
from shop.generations.watching import install, recording

__all__ = [
    "TASK",
    "WATCHED",
    "drop",
    "install",
    "lifetimes",
    "note_events",
    "pay",
    "recording",
    "repair",
    "store",
]

"""Imports and exports that people start and others run: in the background, to their end.

starting  checks what is asked for, keeps the file, queues the job
holding   who runs a job: claims, leases, takeovers, cancelling
work      what an import and an export do, and the account that they keep
running   runs a job and writes down how it ended
files     uploads and results in private storage, and the links to them
notices   the mail to whoever started it
"""

from shop.actions.jobs.files import (
    LINK_SECONDS,
    PARTS,
    Download,
    discard,
    may_download,
    open_download,
    part_of,
    purge,
    token_for,
)
from shop.actions.jobs.holding import cancel, resume_lost
from shop.actions.jobs.notices import tell
from shop.actions.jobs.running import register, run
from shop.actions.jobs.starting import queue, start_export, start_import, start_order_export

__all__ = [
    "LINK_SECONDS",
    "PARTS",
    "Download",
    "cancel",
    "discard",
    "may_download",
    "open_download",
    "part_of",
    "purge",
    "queue",
    "register",
    "resume_lost",
    "run",
    "start_export",
    "start_import",
    "start_order_export",
    "tell",
    "token_for",
]

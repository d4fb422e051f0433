"""The id of the request that is being answered: in its answer, and in each line of the log."""

import logging
import re
import uuid
from contextvars import ContextVar

# What proxies and tracers send: UUIDs, ULIDs, trace ids, Heroku's, AWS's.
_TOKEN = re.compile(r"([?&]token=)[^&\s\"']+")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:=+/@-]{1,128}")

# Of the thread that answers; "-" is for all that is done for no request.
current: ContextVar[str] = ContextVar("request_id", default="-")


def accepted(text: str) -> str | None:
    """`text`, if it is a request id and nothing that could pass for more in a log."""
    return text if _WELL_FORMED.fullmatch(text) else None


def fresh() -> str:
    return uuid.uuid4().hex


class RequestIdFilter(logging.Filter):
    """Gives each record of the log the id of its request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True


class TokenFilter(logging.Filter):
    """Removes the tokens of links from the addresses that records name."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "token=" in text:
            record.msg, record.args = _TOKEN.sub(r"\1***", text), ()
        return True

"""This project's endpoint without compiled execution: what the generic path costs."""

from contenders import ours
from contenders.contender import Contender


def contender() -> Contender:
    return ours.contender(compiled=False)

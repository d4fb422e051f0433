"""What customers think of products, and what they would like to have.

submitting  customers write, change and delete their reviews
texts       what reviews hold: plain text, within bounds
moderating  staff decide what is shown
ratings     what all that is shown comes to, kept on the product
wishlist    what somebody would like to have
"""

from shop.actions.reviews.moderating import moderate
from shop.actions.reviews.ratings import repair
from shop.actions.reviews.submitting import delete, forget, own, submit
from shop.actions.reviews.texts import AUTHOR_LENGTH, BODY_LENGTH, TITLE_LENGTH, checked

__all__ = [
    "AUTHOR_LENGTH",
    "BODY_LENGTH",
    "TITLE_LENGTH",
    "checked",
    "delete",
    "forget",
    "moderate",
    "own",
    "repair",
    "submit",
]

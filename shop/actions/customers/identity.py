"""How people are called, and by which address the shop knows them."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from shop.errors import Invalid, Required
from shop.models import User
from shop.models.customers import EMAIL_LENGTH, NAME_LENGTH, email_key
from shop.text import is_blank, one_line


def account_key(email: str) -> str:
    """By which an account is looked for, and tries are counted; empty for what is no address.

    One function for both: else two spellings of an address would be two accounts to the throttle.
    """
    key = email_key(email)
    return "" if len(key) > EMAIL_LENGTH or "\x00" in key else key


def checked_email(email: str) -> str:
    """An address as it is stored. Raises Required or Invalid when it is none."""
    email = "" if is_blank(email) else email.strip()
    if not email:
        raise Required("An e-mail address is required.", field=["email"])
    if max(len(email), len(email_key(email))) > EMAIL_LENGTH:
        message = f"An e-mail address has at most {EMAIL_LENGTH} characters."
        raise Invalid(message, field=["email"])
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid("This is not an e-mail address.", field=["email"]) from error
    return email


def give_way(key: str) -> None:
    """Removes an account with this key that nobody has confirmed: it claims the address in vain."""
    User.objects.filter(email_key=key, confirmed_at=None, last_login=None, erased_at=None).delete()


def checked_name(name: str) -> str:
    """A name as it is stored. Raises Invalid when it is too long."""
    name = one_line(name)
    if len(name) > NAME_LENGTH:
        raise Invalid(f"A name has at most {NAME_LENGTH} characters.", field=["name"])
    return name

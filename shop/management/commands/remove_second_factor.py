"""Turns off the second factor of somebody who has lost both the phone and the recovery codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.actions.customers import second_factor
from shop.models import User


class Command(BaseCommand):
    help = "Turns off the second factor of an account. Make sure who asks for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="e-mail address of the account")

    def handle(self, *, email: str, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(email)
        except User.DoesNotExist:
            raise CommandError("Nobody has this e-mail address.") from None
        if not second_factor.remove(user):
            raise CommandError("The account has no second factor.")
        self.stdout.write(f"{user.email} signs in with the password alone.")

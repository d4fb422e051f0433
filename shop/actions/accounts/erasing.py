"""Making an account anonymous. The row stays, because what the shop must keep hangs on it."""

import uuid

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from shop.actions.customers import end_all
from shop.models import User


@transaction.atomic
def erase(user: User) -> None:
    """Removes all that tells who `user` was, and ends everything that is signed in."""
    end_all(user)
    user.sessions.all().delete()
    user.addresses.all().delete()
    user.groups.clear()
    user.user_permissions.clear()
    user.email = f"erased-{uuid.uuid4()}@erased.invalid"
    user.name = ""
    user.set_unusable_password()
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.erased_at = timezone.now()
    user.save()
    # The log of the staff screens names people by their addresses.
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=kind, object_id=str(user.pk)).update(object_repr=str(user))

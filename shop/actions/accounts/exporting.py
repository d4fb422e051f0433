"""Everything that the shop keeps about a customer, as JSON, for themself (GDPR, article 15).

A domain that keeps something about customers adds a Section to SECTIONS. A test walks all foreign
keys to users: each is told of by a section, or stands in LEFT_OUT with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from shop.actions import jobs
from shop.actions.accounts import erasing, exporting_sales
from shop.actions.customers import second_factor
from shop.actions.customers.holding import hold
from shop.actions.jobs import files
from shop.actions.jobs.work import Work
from shop.errors import NotFound
from shop.models import AuditEntry, Job, JobKind, JobStatus, User

_UNDER_WAY = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the export.

    Attributes:
        read: what there is about a user, for JSON.
        covers: the foreign keys to users whose rows it tells of, such as "shop.Address.user".
    """

    read: Callable[[User], Any]
    covers: tuple[str, ...] = ()


def _profile(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "pendingEmail": user.pending_email,
        "name": user.name,
        "isActive": user.is_active,
        "isStaff": user.is_staff,
        "isSuperuser": user.is_superuser,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "permissions": sorted(user.user_permissions.values_list("codename", flat=True)),
        "hasOtp": second_factor.is_on(user),
        "createdAt": user.created_at,
        "confirmedAt": user.confirmed_at,
        "lastLogin": user.last_login,
    }


def _addresses(user: User) -> list[dict[str, Any]]:
    return [
        {
            "name": row.name,
            "company": row.company,
            "line1": row.line1,
            "line2": row.line2,
            "district": row.district,
            "city": row.city,
            "region": row.region,
            "postalCode": row.postal_code,
            "country": row.country,
            "phone": row.phone,
            "isDefaultShipping": row.default_shipping_key is not None,
            "isDefaultBilling": row.default_billing_key is not None,
            "createdAt": row.created_at,
        }
        for row in user.addresses.order_by("pk")
    ]


def _reviews(user: User) -> list[dict[str, Any]]:
    return [
        {
            "product": row.product.name,
            "rating": row.rating,
            "title": row.title,
            "body": row.body,
            "author": row.author,
            "status": row.status,
            "isVerified": row.is_verified,
            "createdAt": row.created_at,
            "updatedAt": row.updated_at,
        }
        for row in user.reviews.select_related("product").order_by("pk")
    ]


def _wishlist(user: User) -> list[dict[str, Any]]:
    return [
        {
            "product": row.variant.product.name,
            "variant": row.variant.name,
            "sku": row.variant.sku,
            "createdAt": row.created_at,
        }
        for row in user.wishlist.select_related("variant__product").order_by("pk")
    ]


def _sessions(user: User) -> list[dict[str, Any]]:
    return [
        {
            "userAgent": row.user_agent,
            "address": row.address,
            "createdAt": row.created_at,
            "lastUsedAt": row.last_used_at,
            "expiresAt": row.expires_at,
            "endedAt": row.revoked_at,
        }
        for row in user.sessions.order_by("pk")
    ]


def _jobs(user: User) -> list[dict[str, Any]]:
    return [
        {
            "kind": row.kind,
            "status": row.status,
            "fileName": row.file_name,
            "createdAt": row.created_at,
            "finishedAt": row.finished_at,
        }
        for row in Job.objects.filter(created_by=user).order_by("pk")
    ]


def _mails(user: User) -> list[dict[str, Any]]:
    return [
        {"template": row.template, "recipient": row.recipient, "sentAt": row.sent_at}
        for row in user.mails.order_by("pk")
    ]


def _audit(user: User) -> list[dict[str, Any]]:
    """What staff did with the account and what belongs to it.

    Who of them it was is not the customer's to know.
    """
    told = Q(object_type="User", object_id=user.pk)
    for name, keys in erasing.in_audit(user).items():
        if keys:
            told |= Q(object_type=name, object_id__in=keys)
    return [
        {"action": row.action, "difference": row.difference, "createdAt": row.created_at}
        for row in AuditEntry.objects.filter(told).order_by("pk")
    ]


def _deeds(user: User) -> list[dict[str, Any]]:
    """What they did as staff, without the values: those may tell of others."""
    return [
        {
            "action": row.action,
            "objectType": row.object_type,
            "objectId": row.object_id,
            "outcome": row.outcome,
            "address": row.address,
            "createdAt": row.created_at,
        }
        for row in AuditEntry.objects.filter(actor=user).order_by("pk")
    ]


def _screens(user: User) -> list[dict[str, Any]]:
    rows = LogEntry.objects.filter(user=user).select_related("content_type").order_by("pk")
    return [
        {
            "action": row.get_action_flag_display(),
            "objectType": row.content_type.model if row.content_type else None,
            "objectId": row.object_id,
            "createdAt": row.action_time,
        }
        for row in rows
    ]


# By name in the file, in its order.
SECTIONS: dict[str, Section] = {
    "profile": Section(
        _profile, covers=("shop.User_groups.user", "shop.User_user_permissions.user")
    ),
    "addresses": Section(_addresses, covers=("shop.Address.user",)),
    "reviews": Section(_reviews, covers=("shop.Review.user",)),
    "wishlist": Section(_wishlist, covers=("shop.WishlistItem.user",)),
    "sessions": Section(_sessions, covers=("shop.Session.user",)),
    "orders": Section(exporting_sales.orders, covers=("shop.Order.user",)),
    "carts": Section(exporting_sales.carts, covers=("shop.Cart.user",)),
    "vouchersUsed": Section(exporting_sales.vouchers),
    "jobs": Section(_jobs, covers=("shop.Job.created_by",)),
    "mails": Section(_mails, covers=("shop.SentMail.user",)),
    "changesByStaff": Section(_audit),
    "deedsAsStaff": Section(_deeds, covers=("shop.AuditEntry.actor",)),
    "deedsOnStaffScreens": Section(_screens, covers=("admin.LogEntry.user",)),
    "deedsToOrders": Section(exporting_sales.order_deeds, covers=("shop.OrderEvent.actor",)),
    "refundsMade": Section(exporting_sales.refund_deeds, covers=("shop.Refund.actor",)),
    "stockMoved": Section(exporting_sales.stock_deeds, covers=("shop.StockMovement.actor",)),
}

LEFT_OUT = {
    "shop.RefreshToken.session": "A digest that signs a device in; its session is told of.",
    "shop.WebhookEndpoint.owner": "An address of the shop's, not of a person.",
    "otp_totp.TOTPDevice.user": "A secret, with which whoever finds the file could sign in.",
    "otp_static.StaticDevice.user": "Secrets, with which whoever finds the file could sign in.",
}


def document(user: User) -> dict[str, Any]:
    """All that the shop keeps about `user`, for JSON."""
    return {
        "shop": settings.SHOP_NAME,
        "writtenAt": timezone.now(),
        **{name: section.read(user) for name, section in SECTIONS.items()},
    }


@transaction.atomic
def start_export(user: User) -> Job:
    """Queues an export of an account, or tells the one that is under way.

    There is one at a time, and one file: earlier exports go with a new one.

    Raises:
        NotFound: the account has been erased meanwhile.
    """
    hold(user)
    exports = Job.objects.filter(created_by=user.pk, kind=JobKind.EXPORT_ACCOUNT)
    running = exports.filter(status__in=_UNDER_WAY, cancel_requested=False).first()
    if running is not None:
        return running
    jobs.discard(exports.exclude(status__in=_UNDER_WAY))
    return jobs.queue(
        JobKind.EXPORT_ACCOUNT,
        {"folder": files.new_folder()},
        by=user,
        file_name=f"account-{timezone.now():%Y-%m-%d}.json",
    )


class ExportWork(Work):
    """Writes all that the shop keeps about who started the job."""

    def run(self) -> None:
        user = self.hold.job.created_by
        if user is None:
            raise NotFound("There is no such account.")
        content = orjson.dumps(document(user), option=orjson.OPT_INDENT_2)
        stored = files.keep(self.folder, "account.json", ContentFile(content))
        try:
            self.hold.check()
        except BaseException:
            # The account was erased meanwhile, and its files: nobody would find this one any more.
            files.withdraw(stored)
            raise
        self.fields |= {"file": stored, "done": 1, "total": 1}

    def account(self) -> dict[str, Any]:
        return self.fields

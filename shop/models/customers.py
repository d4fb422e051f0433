"""People: shoppers and staff are both users; staff have `is_staff` and groups."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from shop.models.fields import ExactCharField

EMAIL_LENGTH = 254
NAME_LENGTH = 200
USER_AGENT_LENGTH = 400


def email_key(email: str) -> str:
    """The normalised form by which an address is unique: "Ann@Example.org " = "ann@example.org"."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


class UserQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Everyone for staff who may view users, oneself for everyone else."""
        if user.has_perm("shop.view_user"):
            return self
        return self.filter(pk=user.pk)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email_key=email_key(username or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user with this password; without one, a user who cannot sign in.

        The shop vouches for the address, unless `confirmed_at=None` leaves it to be confirmed.
        """
        fields.setdefault("confirmed_at", timezone.now())
        user = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Someone with an account, known by e-mail address.

    Attributes:
        token_version: in every access token; another one ends them all, and all sessions.
        pending_email: another address, that waits to be confirmed; empty without one.
        confirmed_at: when the address was found to be theirs; before that nobody signs in.
        erased_at: when all that told who it was went; what the shop must keep hangs on the row.
    """

    email = models.EmailField(max_length=EMAIL_LENGTH)
    email_key = ExactCharField(max_length=EMAIL_LENGTH, unique=True, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    token_version = models.PositiveIntegerField(default=0, editable=False)
    pending_email = models.CharField(
        max_length=EMAIL_LENGTH, blank=True, default="", editable=False
    )
    confirmed_at = models.DateTimeField(null=True, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    _password: str | None
    _was_active = False

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    # Uniqueness stands on email_key, so Django's check of USERNAME_FIELD is silenced in settings.

    class Meta:
        indexes = (models.Index(fields=["created_at", "id"], name="user_by_age"),)

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """What the staff screens call who is signed in; without a name, their address."""
        return self.name

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """As Django's; whatever ends access tokens ends the sessions of the staff screens too."""
        key_salt = "shop.models.User.get_session_auth_hash"
        text = f"{self.password}\x00{self.token_version}"
        return salted_hmac(key_salt, text, secret=secret, algorithm="sha256").hexdigest()

    def check_password(self, raw_password: str | None) -> bool:
        """As Django's; but a better hash of it is stored only in place of the one that was checked.

        Else it could undo a new password that was set meanwhile.
        """

        def store(raw: str) -> None:
            better, checked = make_password(raw), self.password
            if User.objects.filter(pk=self.pk, password=checked).update(password=better):
                self.password = better

        return check_password(raw_password, self.password, store)

    def natural_key(self) -> tuple[str]:
        return (self.email,)

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        user = super().from_db(*args, **kwargs)
        user._was_active = user.__dict__.get("is_active", False)
        return user

    def refresh_from_db(
        self, using: Any = None, fields: Any = None, from_queryset: Any = None
    ) -> None:
        super().refresh_from_db(using, fields, from_queryset)
        if fields is None or "is_active" in fields:
            self._was_active = self.is_active

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves; a new password or a deactivation ends everything that is signed in."""
        self.email_key = email_key(self.email)
        fields = kwargs.get("update_fields")
        if fields is not None and "email" in fields:
            kwargs["update_fields"] = {*fields, "email_key"}
        # Django keeps the clear password until it is saved; a mere new hash of it does not count.
        if self.pk and (self._password is not None or (self._was_active and not self.is_active)):
            self.token_version = F("token_version") + 1
            if fields is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "token_version"}
        super().save(*args, **kwargs)
        self._was_active = self.is_active
        if not isinstance(self.token_version, int):
            self.refresh_from_db(fields=["token_version"])


class AddressQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Everyone's for staff who may view addresses, one's own for everyone else."""
        if user.has_perm("shop.view_address"):
            return self
        return self.filter(user=user.pk)


class Address(models.Model):
    """A place that a user has things sent to, or is billed at.

    Attributes:
        country: ISO 3166-1 alpha-2 code.
        region: state, province or county, where the country has them in addresses.
        district: part of a city, where the country has them in addresses.
        phone: in E.164, with an extension as in RFC 3966: "+12125550100;ext=5".
        default_shipping_key, default_billing_key: the user's key in one row at most of each user;
            null elsewhere. A plain unique column, because MariaDB has no conditional ones.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="addresses")
    name = models.CharField(max_length=200)
    company = models.CharField(max_length=200, blank=True, default="")
    line1 = models.CharField(max_length=200)
    line2 = models.CharField(max_length=200, blank=True, default="")
    district = models.CharField(max_length=100, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    region = models.CharField(max_length=100, blank=True, default="")
    postal_code = models.CharField(max_length=20, blank=True, default="")
    country = ExactCharField(max_length=2)
    phone = models.CharField(max_length=50, blank=True, default="")
    default_shipping_key = models.BigIntegerField(null=True, unique=True, editable=False)
    default_billing_key = models.BigIntegerField(null=True, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AddressQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "addresses"
        indexes = (models.Index(fields=["user", "created_at", "id"], name="address_by_user"),)

    def __str__(self) -> str:
        return f"Address {self.pk}"


class SessionQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own, for everyone: not even staff see where others are signed in."""
        return self.filter(user=user.pk)

    def live(self) -> Self:
        """Those that are not over."""
        return self.filter(
            revoked_at=None,
            expires_at__gt=Now(),
            token_version=F("user__token_version"),
            user__is_active=True,
        )


class Session(models.Model):
    """A device that is signed in: a family of refresh tokens, of which one is unspent.

    Attributes:
        uid: in every access token of the session, so that it can be ended at once.
        token_version: of the user when it began; it is over when the user has another.
        expires_at: of its last refresh token.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    token_version = models.PositiveIntegerField()
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, default="")
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "last_used_at", "id"], name="session_by_use"),
            models.Index(fields=["expires_at"], name="session_by_end"),
        )

    def __str__(self) -> str:
        return f"Session {self.pk}"


class RefreshToken(models.Model):
    """A long-lived, one-use token that buys a new access token. Only its SHA-256 is stored."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="refresh_tokens")
    digest = ExactCharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Refresh token {self.pk}"

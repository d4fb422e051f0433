"""People: shoppers and staff are both users; staff have `is_staff` and groups."""

from __future__ import annotations

import unicodedata
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from shop.models.fields import ExactCharField


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
        """A user with this password; without one, a user who cannot sign in."""
        user = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Someone with an account, known by e-mail address."""

    email = models.EmailField(max_length=254)
    email_key = ExactCharField(max_length=254, unique=True, editable=False)
    name = models.CharField(max_length=200, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    # Uniqueness stands on email_key, so Django's check of USERNAME_FIELD is silenced in settings.

    def __str__(self) -> str:
        return self.email

    def natural_key(self) -> tuple[str]:
        return (self.email,)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_key = email_key(self.email)
        fields = kwargs.get("update_fields")
        if fields is not None and "email" in fields:
            kwargs["update_fields"] = {*fields, "email_key"}
        super().save(*args, **kwargs)


class RefreshToken(models.Model):
    """A long-lived, one-use token that buys a new access token. Only its SHA-256 is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="refresh_tokens")
    digest = ExactCharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Refresh token {self.pk}"

"""The site of the staff screens: who is let in.

It is no part of `shop.admin`, because Django makes the site before it loads the screens.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from shop import throttling
from shop.actions.customers import second_factor
from shop.errors import TryLater


class StaffSite(UnfoldAdminSite):
    """Active staff are let in, once the session has proved their second factor.

    Those who have none are let in as well, unless STAFF_OTP_REQUIRED: then they are led to the page
    where they turn it on, and nowhere else.
    """

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        response = super().login(request, extra_context)
        # What the form (shop.admin.signing_in) found out.
        if seconds := getattr(request, "retry_after", 0):
            response.status_code = 429
            response.headers["Retry-After"] = str(seconds)
        return response

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        if request.method == "POST":
            address = request.META.get("REMOTE_ADDR", "")
            try:
                throttling.check(throttling.PASSWORD, str(request.user.pk), address)
            except TryLater as error:
                messages.error(request, error.message)
                return redirect(request.path)
        return super().password_change(request, extra_context)

    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        if _is_verified(request):
            return True
        # Whoever has come half the way may leave.
        if request.path == reverse("admin:logout", current_app=self.name):
            return True
        return not settings.STAFF_OTP_REQUIRED and not _has_second_factor(request)

    def may_enrol(self, request: HttpRequest) -> bool:
        """Whether the request may see and change its user's own second factor."""
        if not super().has_permission(request):
            return False
        return _is_verified(request) or not _has_second_factor(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return super().get_app_list(request, app_label) if self.has_permission(request) else []

    def admin_view(
        self, view: Callable[..., HttpResponseBase], cacheable: bool = False
    ) -> Callable[..., HttpResponseBase]:
        inner = super().admin_view(view, cacheable)

        def lead(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self.may_enrol(request) and not self.has_permission(request):
                return redirect("second_factor")
            try:
                return inner(request, *args, **kwargs)
            except TryLater as error:
                messages.error(request, error.message)
                return redirect(request.get_full_path())

        return update_wrapper(lead, inner)


def _is_verified(request: Any) -> bool:
    return request.user.otp_device is not None


def _has_second_factor(request: Any) -> bool:
    # A page asks several times, the database is asked once.
    if not hasattr(request, "has_second_factor"):
        request.has_second_factor = second_factor.is_on(request.user)
    return request.has_second_factor

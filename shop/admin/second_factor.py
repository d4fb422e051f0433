"""The page where staff turn their own second factor on and off."""

from typing import Any

import django_otp
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from shop.actions.customers import second_factor, signing_in
from shop.errors import InvalidCredentials, InvalidOtp, OtpRequired, ShopError, TryLater

# django-otp's own screens show secrets, and write what only actions may.
admin.site.unregister((TOTPDevice, StaticDevice))


class CodeForm(forms.Form):
    """A one-time code."""

    code = forms.CharField(
        label="Code",
        max_length=64,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class PasswordForm(forms.Form):
    """The password, which a stolen session does not know."""

    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=signing_in.MAX_PASSWORD,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


@never_cache
@sensitive_post_parameters("code", "password")
@csrf_protect
def page(request: HttpRequest) -> HttpResponse:
    """What the user may do next, and the doing of it.

    Open also to those whom STAFF_OTP_REQUIRED keeps from everything else.
    """
    if not admin.site.may_enrol(request):  # type: ignore[attr-defined]
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    begins = request.POST.get("action") == "begin"
    form = CodeForm(request.POST if "code" in request.POST else None)
    password_form = PasswordForm(request.POST if begins else None)
    if request.method == "POST":
        try:
            response = _begin(request, password_form) if begins else _act(request, form)
        except (OtpRequired, InvalidOtp) as error:
            form.add_error("code", error.message)
        except (InvalidCredentials, TryLater) as error:
            password_form.add_error("password", error.message)
        except ShopError as error:
            messages.error(request, error.message)
            return redirect("second_factor")
        else:
            if response is not None:
                return response
    return _show(request, form=form, password_form=password_form)


def _begin(request: HttpRequest, form: PasswordForm) -> HttpResponse | None:
    """Makes a new secret. Returns None where the form is not filled in."""
    if not form.is_valid():
        return None
    user: Any = request.user
    address = request.META.get("REMOTE_ADDR", "")
    signing_in.enrol(user, form.cleaned_data["password"], address=address)
    return redirect("second_factor")


def _act(request: HttpRequest, form: CodeForm) -> HttpResponse | None:
    """Does what the pressed button says. Returns None where the form is not filled in."""
    action = request.POST.get("action")
    user: Any = request.user
    if not form.is_valid():
        return None
    code = form.cleaned_data["code"]
    if action == "enable":
        codes = second_factor.enable(user, code)
        # This session has just shown a code; others will be asked for one.
        django_otp.login(request, second_factor.device_of(user))
        return _show(request, recovery_codes=codes)
    if action == "renew":
        return _show(request, recovery_codes=second_factor.new_recovery_codes(user, code))
    if action == "disable":
        second_factor.disable(user, code)
        messages.success(request, "The second factor is off.")
        return redirect("second_factor")
    return None


def _show(request: HttpRequest, **shown: Any) -> HttpResponse:
    user: Any = request.user
    context = {
        **admin.site.each_context(request),
        "title": "Second factor",
        "is_on": second_factor.is_on(user),
        "pending": second_factor.pending(user),
        "left": second_factor.recovery_codes_left(user),
        "required": settings.STAFF_OTP_REQUIRED,
        **shown,
    }
    return TemplateResponse(request, "admin/shop/second_factor.html", context)

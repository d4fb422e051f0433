"""Signing in to the staff screens."""

from typing import Any

from django import forms
from django.contrib import admin
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from shop.actions.customers import second_factor, signing_in
from shop.errors import ShopError, TryLater


class SignInForm(AuthenticationForm):
    """E-mail address, password, and a one-time code from those who have a second factor."""

    otp = forms.CharField(
        label="One-time code",
        required=False,
        max_length=64,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "class": " ".join(BASE_INPUT_CLASSES),
            }
        ),
        help_text="If your account has a second factor: of your authenticator app, or a recovery "
        "code.",
    )

    def clean(self) -> dict[str, Any]:
        address = self.request.META.get("REMOTE_ADDR", "")
        email = str(self.cleaned_data.get("username") or "")
        try:
            # The same counts as the API's.
            with signing_in.counted(email, address):
                cleaned = super().clean()
        except TryLater as error:
            self.request.retry_after = error.seconds
            raise forms.ValidationError(error.message) from error
        user = self.get_user()
        if user is None:
            return cleaned
        try:
            device = second_factor.check(user, cleaned.get("otp"))
        except ShopError as error:
            self.add_error("otp", error.message)
            return cleaned
        if device is not None:
            # The session remembers it when django-otp hears of the sign-in.
            user.otp_device = device
        return cleaned


admin.site.login_form = SignInForm
admin.site.login_template = "admin/shop/login.html"

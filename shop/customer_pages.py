"""Pages behind the links of mails, for shops without a storefront of their own.

They call the actions that the mutations call, with the same throttles and errors. Looking at a page
changes nothing, because mail scanners follow links: a button does it. The token in the form is all
that a request proves itself with. There is no session or cookie that another site could ride on, so
that the forms need no CSRF cookie and work in private windows too.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from shop.actions import carts, orders
from shop.actions.carts.pricing import name_of
from shop.actions.customers import address_rules, links, passwords, profiles, registering
from shop.errors import InvalidToken, NotFound, ShopError, Throttled, TryLater
from shop.models import DigitalKind
from shop.money import Money

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    # The address has a token in it.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_GONE = "This link is not valid any more. It has expired, was used, or is not complete."
View = Callable[..., HttpResponse]


def _private(view: View) -> View:
    """Has browsers and proxies keep nothing of a page, and tell nobody its address."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    return answer


def _text(label: str, kind: str, autocomplete: str, **more: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"type": kind, "autocomplete": autocomplete})
    return forms.CharField(label=label, widget=widget, strip=False, max_length=4096, **more)


class _ActionForm(forms.Form):
    """A form that shows what an action refuses."""

    def show(self, error: ShopError) -> None:
        """Puts each error beside its field, or above the form."""
        for one in error.each:
            name = one.field[-1] if one.field else ""
            self.add_error(name if name in self.fields and name != "token" else None, one.message)


class _TokenForm(_ActionForm):
    """A form that hands over the token of a link."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=1000)


class ConfirmForm(_TokenForm):
    password = _text("Password", "password", "current-password")


class EmailForm(ConfirmForm):
    otp = _text(
        "One-time code",
        "text",
        "one-time-code",
        required=False,
        help_text="Only if your account has a second factor.",
    )


class NewPasswordForm(_TokenForm):
    password = _text("New password", "password", "new-password")
    again = _text("New password again", "password", "new-password")

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if {"password", "again"} <= cleaned.keys() and cleaned["password"] != cleaned["again"]:
            self.add_error("again", "The two passwords are not the same.")
        return cleaned


class AskResetForm(_ActionForm):
    email = _text("E-mail address", "email", "email")


def _form_page(
    request: HttpRequest,
    form_class: type[_ActionForm],
    act: Callable[..., object],
    texts: dict[str, str],
    *,
    purposes: tuple[str, ...] = (),
) -> HttpResponse:
    """A form, what came of it, or why it cannot be done.

    Args:
        act: the action; gets the values of the form and the client's `address`.
        texts: `title`, `intro` and `button`; and `done`, what is shown afterwards.
        purposes: what the link's token is made for; empty without one.
    """
    if request.method != "POST":
        token = request.GET.get("token", "")
        if purposes and not _is_valid(token, purposes):
            return _message(request, texts["title"], _GONE, status=400)
        return _show(request, form_class(initial={"token": token}), texts)
    form = form_class(request.POST)
    if not form.is_valid():
        if "token" in form.errors:
            return _message(request, texts["title"], _GONE, status=400)
        return _show(request, form, texts, status=400)
    values = {name: value for name, value in form.cleaned_data.items() if name != "again"}
    try:
        act(**values, address=request.META.get("REMOTE_ADDR", ""))
    except InvalidToken:
        return _message(request, texts["title"], _GONE, status=400)
    except ShopError as error:
        form.show(error)
        return _show(request, form, texts, status=400)
    except TryLater as error:
        form.add_error(None, error.message)
        response = _show(request, form, texts, status=429 if isinstance(error, Throttled) else 503)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    return _message(request, texts["title"], texts["done"])


def _is_valid(token: str, purposes: tuple[str, ...]) -> bool:
    try:
        links.opened(token, *purposes)
    except InvalidToken:
        return False
    return True


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    shown = {"shop": settings.SHOP_NAME, **context}
    return render(request, f"pages/{template}.html", shown, status=status)


def _show(
    request: HttpRequest, form: forms.Form, texts: dict[str, str], status: int = 200
) -> HttpResponse:
    return _page(request, "form", {"form": form, **texts}, status)


def _message(request: HttpRequest, title: str, text: str, status: int = 200) -> HttpResponse:
    return _page(request, "message", {"title": title, "text": text}, status)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_private
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirms a new account: `customerConfirm`."""
    texts = {
        "title": "Confirm your account",
        "intro": "Enter the password that you chose when you signed up.",
        "button": "Confirm account",
        "done": "Your account is confirmed. You can sign in now.",
    }
    return _form_page(request, ConfirmForm, registering.confirm, texts, purposes=(links.CONFIRM,))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_private
def reset(request: HttpRequest) -> HttpResponse:
    """Sets a new password, `passwordReset`; without a token asks for a link to do so."""
    if "token" not in (request.POST if request.method == "POST" else request.GET):
        texts = {
            "title": "Reset your password",
            "intro": "We mail you a link to choose a new password.",
            "button": "Send link",
            "done": "If there is an account with this address, the link is on its way.",
        }
        return _form_page(request, AskResetForm, passwords.request_reset, texts)
    texts = {
        "title": "Choose a new password",
        "intro": "You are signed out on all devices when you save it.",
        "button": "Save password",
        "done": "Your new password is saved. You can sign in with it now.",
    }
    purposes = (links.RESET, links.INVITE)
    return _form_page(request, NewPasswordForm, passwords.reset, texts, purposes=purposes)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_private
def email(request: HttpRequest) -> HttpResponse:
    """Confirms another e-mail address of an account: `emailConfirm`."""
    texts = {
        "title": "Confirm your new e-mail address",
        "intro": "Enter your password. You are signed out on all devices.",
        "button": "Confirm address",
        "done": "Your e-mail address is changed. You can sign in with it now.",
    }
    purposes = (links.CHANGE_EMAIL,)
    return _form_page(request, EmailForm, _confirm_email, texts, purposes=purposes)


def _confirm_email(*, otp: str, **values: Any) -> None:
    profiles.confirm_email(otp=otp or None, **values)


@require_safe
@_private
def order(request: HttpRequest, number: str) -> HttpResponse:
    """Shows the state of an order by its token, as `orderByToken` does."""
    found = orders.opened(number, request.GET.get("token", ""))
    if found is None:
        return _message(request, "Order", "There is no such order.", status=404)

    def amount(minor: int) -> str:
        return str(Money(minor, found.currency))

    context = {
        "title": f"Order {found.number}",
        "order": found,
        "lines": [
            {"line": line, "total": amount(line.subtotal)}
            for line in found.lines.order_by("position")
        ],
        "discount": amount(-found.discount) if found.discount else "",
        "shipping": amount(found.shipping),
        "tax": amount(found.tax) if found.tax else "",
        "total": amount(found.total),
        "parcels": found.fulfillments.filter(cancelled_at=None).order_by("created_at", "pk"),
        # The address of an erased account goes once it is delivered.
        "address": address_rules.formatted(found.shipping_address)
        if found.shipping_address
        else [],
    }
    return _page(request, "order", context)


@require_safe
@_private
def cart(request: HttpRequest) -> HttpResponse:
    """Shows a cart by the link of its reminder."""
    try:
        found = carts.open_reminder(request.GET.get("token", ""))
    except NotFound:
        text = "This cart is not there any more, or was ordered."
        return _message(request, "Your cart", text, status=404)
    priced = carts.priced(found)
    price = priced.price

    def amount(minor: int) -> str:
        return str(Money(minor, price.currency))

    context = {
        "title": "Your cart",
        "lines": [
            {
                "name": name_of(line.variant),
                "quantity": line.quantity,
                "total": amount(one.subtotal),
            }
            for line, one in zip(priced.lines, price.lines, strict=True)
        ],
        "discount": amount(-price.discount) if price.discount else "",
        "shipping": amount(price.shipping_price) if price.shipping else "",
        "tax": amount(price.tax) if price.tax else "",
        "tax_included": price.tax_included,
        "total": amount(price.total),
        "notices": [notice.message for notice in priced.notices],
    }
    return _page(request, "cart", context)


@require_safe
@_private
def delivery(request: HttpRequest, token: str) -> HttpResponse:
    """Opens digital content: leads to its address, or shows its text. GET counts a download."""
    found = orders.opened_delivery(token)
    if found is None:
        return _message(request, "Download", "There is no such download.", status=404)
    is_live = found.revoked_at is None
    if request.method == "GET":
        is_live = orders.count_download(found)
    if not is_live:
        return _message(request, "Download", "This download was revoked.", status=410)
    if found.kind == DigitalKind.LINK:
        return HttpResponseRedirect(found.content)
    return HttpResponse(
        found.content,
        content_type="text/plain; charset=utf-8",
        headers={"X-Content-Type-Options": "nosniff"},
    )

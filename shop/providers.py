"""What payment providers, and customers of the demo one, send to /payments/."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from shop.actions import payments
from shop.errors import Busy, NotFound
from shop.gateways import Refused, Unavailable, demo
from shop.models import Payment, PaymentState
from shop.money import format_minor

# Far more than any message of a provider has.
MAX_BYTES = 256 * 1024


# Signed by the provider, and sent without cookies: there is nothing to forge.
@csrf_exempt
@require_POST
def message(request: HttpRequest, provider: str) -> HttpResponse:
    """A message of a provider, over the bytes as they came.

    200: it counted, now or before; or it is about nothing of the shop's. 400: it is not signed, was
    altered, or is too old. Any other status has the provider send it again.
    """
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return JsonResponse({"error": "The message is too large."}, status=413)
    try:
        payments.receive(provider, body, request.headers)
    except NotFound:
        raise Http404 from None
    except Refused:
        return JsonResponse({"error": "The signature is not right, or too old."}, status=400)
    except (Unavailable, Busy):
        return JsonResponse({"error": "Send it again later."}, status=503)
    return JsonResponse({"received": True})


# Whoever has the token is the customer; there is no session to ride on.
@csrf_exempt
@require_http_methods(["GET", "POST"])
def confirm_demo(request: HttpRequest) -> HttpResponse:
    """Where customers of the demo provider confirm a payment, or refuse (`refuse=1`).

    The page has the `token` in its address, the form has it in a field.
    """
    token = (request.POST if request.method == "POST" else request.GET).get("token", "")
    waiting = Payment.objects.filter(
        provider=demo.Demo.name, key=token, state=PaymentState.REQUIRES_ACTION
    )
    payment = waiting.select_related("order").first() if settings.DEMO_PAYMENTS else None
    if payment is None:
        raise Http404
    if request.method == "GET":
        amount = f"{format_minor(payment.amount, payment.currency)} {payment.currency}"
        return render(request, "demo_payment.html", {"payment": payment, "amount": amount})
    demo.confirm(token, accept=not request.POST.get("refuse"))
    return JsonResponse({"state": payments.ask(payment.pk).state})

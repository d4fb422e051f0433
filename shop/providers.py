"""What payment providers, and customers of the demo one, send to /payments/."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop.actions import payments
from shop.errors import NotFound
from shop.gateways import Refused, Unavailable, demo
from shop.models import Payment

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
    except Unavailable:
        return JsonResponse({"error": "Send it again later."}, status=503)
    return JsonResponse({"received": True})


# Whoever has the token is the customer; there is no session to ride on.
@csrf_exempt
@require_POST
def confirm_demo(request: HttpRequest) -> HttpResponse:
    """The customer confirms a payment at the demo provider, or refuses (`refuse=1`).

    The form has the `token` that the client got with the payment.
    """
    if not settings.DEMO_PAYMENTS:
        raise Http404
    token = request.POST.get("token", "")
    payment = Payment.objects.filter(provider=demo.Demo.name, key=token).first()
    if payment is None or not demo.confirm(token, accept=not request.POST.get("refuse")):
        return JsonResponse({"error": "No payment waits under this token."}, status=404)
    return JsonResponse({"state": payments.ask(payment.pk).state})

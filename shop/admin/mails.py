"""What the mails of the shop look like: for developers only."""

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from shop.actions import mails


def _index(request: HttpRequest) -> TemplateResponse:
    # Asked at each request: tests and settings may differ in it.
    if not settings.DEBUG:
        raise Http404
    shown = [
        {"template": template, "sample": sample, "mail": mails.render(template, context)}
        for template in mails.templates()
        for sample, context in mails.samples(template).items()
    ]
    context = {**admin.site.each_context(request), "title": "Mails", "shown": shown}
    return TemplateResponse(request, "admin/shop/mails.html", context)


# Every template with every sample, as text and as HTML, for staff.
index = admin.site.admin_view(_index)

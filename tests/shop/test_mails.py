"""Mails: every template renders, each goes out once, and nothing gets into a header."""

import copy
from email import message_from_bytes
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse

from shop.actions import jobs, mails
from shop.models import Job, JobStatus, SentMail, User
from shop.tasks import mail_job

pytestmark = pytest.mark.django_db
SAMPLES = [(template, name) for template in mails.templates() for name in mails.samples(template)]
CONTEXT = mails.samples("job_finished")["import done"]


def test_every_template_has_its_samples() -> None:
    layouts = {"layout"}
    for ending in ("txt", "html"):
        names = {path.stem for path in mails.FOLDER.glob(f"*.{ending}")} - layouts
        assert sorted(names) == mails.templates()


@pytest.mark.parametrize(("template", "name"), SAMPLES)
def test_every_template_renders_with_each_sample(template: str, name: str, settings: Any) -> None:
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["OPTIONS"]["string_if_invalid"] = "MISSING"
    settings.TEMPLATES = templates
    rendered = mails.render(template, mails.samples(template)[name])
    for text in (rendered.subject, rendered.text, rendered.html):
        assert text.strip()
        assert "MISSING" not in text
    assert "\n" not in rendered.subject
    assert "<html" in rendered.html
    assert "<script" not in rendered.html
    assert "&" not in rendered.text.replace("cups-&-saucers", ""), "a plain text has no entities"


def test_html_is_escaped_and_text_is_not() -> None:
    rendered = mails.render("job_finished", CONTEXT | {"file_name": "<b>&.csv"})
    assert "<b>&.csv" in rendered.subject
    assert "&lt;b&gt;&amp;.csv" in rendered.html


def test_a_mail_goes_out_once_for_a_key(settings: Any) -> None:
    settings.SITE_URL = "https://shop.example.org"
    for _ in range(2):
        mails.send("job_finished", to="ann@example.org", key="job-finished-7", context=CONTEXT)
    (sent,) = mail.outbox
    parsed = message_from_bytes(sent.message().as_bytes())
    assert parsed["Message-ID"] == "<job-finished-7@shop.example.org>"
    assert (parsed["To"], parsed["Subject"]) == ("ann@example.org", "Import done: spring.csv")
    kinds = [part.get_content_type() for part in parsed.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    row = SentMail.objects.get()
    assert (row.key, row.template, row.recipient) == (
        "job-finished-7",
        "job_finished",
        "ann@example.org",
    )


def test_who_dies_after_sending_sends_again_under_the_same_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def send() -> None:
        mails.send("job_finished", to="ann@example.org", key="job-finished-7", context=CONTEXT)

    send()
    SentMail.objects.all().delete()
    send()
    ids = {sent.message()["Message-ID"] for sent in mail.outbox}
    assert (len(mail.outbox), len(ids)) == (2, 1)


def test_a_mail_that_the_server_refused_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise ConnectionRefusedError("no server")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
        with pytest.raises(ConnectionRefusedError):
            mails.send("job_finished", to="ann@example.org", key="k", context=CONTEXT)
    assert not SentMail.objects.exists()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"to": "ann@example.org\nBcc: all@example.org"}, ValidationError),
        ({"to": "ann@example.org, bob@example.org"}, ValidationError),
        ({"key": "a\nBcc: all@example.org"}, ValueError),
        ({"key": "a>b"}, ValueError),
        ({"key": ""}, ValueError),
    ],
)
def test_nothing_gets_into_a_header(given: dict[str, str], error: type[Exception]) -> None:
    values = {"to": "ann@example.org", "key": "key", **given}
    with pytest.raises(error):
        mails.send("job_finished", context=CONTEXT, **values)
    assert mail.outbox == []


def test_a_name_with_lines_makes_no_second_header() -> None:
    context = CONTEXT | {"file_name": "a\r\nBcc: all@example.org"}
    mails.send("job_finished", to="ann@example.org", key="key", context=context)
    message = mail.outbox[0].message()
    assert message["Bcc"] is None
    assert message["Subject"] == "Import done: a"


# --- When a job has ended ------------------------------------------------------------------------


@pytest.fixture
def ended(staff: User) -> Job:
    job = jobs.start_export(by=staff)
    jobs.cancel(job)
    return Job.objects.get()


def test_who_started_a_job_is_told_once_however_often_the_task_runs(
    ended: Job, settings: Any
) -> None:
    from shop.models import OutboxEvent

    event = OutboxEvent.objects.get(topic="job.finished")
    for _ in range(2):
        mail_job.apply(args=[event.pk], task_id="key")
    (sent,) = mail.outbox
    assert sent.to == [ended.created_by.email]
    assert sent.subject.startswith("Export cancelled: products-")
    address = settings.SITE_URL + reverse("admin:shop_job_change", args=[ended.pk])
    assert address in sent.body
    assert ended.error in sent.body


@pytest.mark.django_db(transaction=True)
def test_the_mail_follows_the_job(staff: User) -> None:
    jobs.start_export(by=staff)
    assert Job.objects.get().status == JobStatus.SUCCEEDED
    assert [sent.subject.split(":")[0] for sent in mail.outbox] == ["Export done"]


@pytest.mark.parametrize("who", ["nobody", "left"])
def test_nobody_is_told_when_there_is_no_account(who: str, ended: Job, staff: User) -> None:
    if who == "nobody":
        staff.delete()
    else:
        User.objects.update(is_active=False)
    jobs.tell(ended.pk)
    jobs.tell(987_654)
    assert mail.outbox == []


# --- The preview ---------------------------------------------------------------------------------


def test_the_preview_shows_every_mail_to_staff_in_development_only(
    client: Any, staff: User, customer: User, settings: Any, tmp_path: Any
) -> None:
    settings.STATIC_ROOT = tmp_path
    client.force_login(staff)
    assert client.get("/admin/mails/").status_code == 404
    settings.DEBUG = True
    page = client.get("/admin/mails/").content.decode()
    assert page.count('sandbox=""') == len(SAMPLES)
    # The mail stands whole in its attribute.
    assert page.count('srcdoc="') == page.count("&lt;/html&gt;") == len(SAMPLES)
    client.force_login(customer)
    assert client.get("/admin/mails/").status_code == 302

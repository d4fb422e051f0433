# syntax=docker/dockerfile:1
# The image of the shop: the web server by default, `celery -A shop worker` and `beat` for background work.

FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install -r requirements.txt

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=shop.settings
# Spans of ddtrace, where it is installed, must not hold query strings and documents: both may hold
# tokens and passwords (docs/operations.md).
ENV DD_HTTP_SERVER_TAG_QUERY_STRING=false \
    DD_TRACE_GRAPHQL_ENABLED=false
RUN useradd --create-home --uid 10001 shop
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY --chown=shop manage.py pyproject.toml ./
COPY --chown=shop shop shop
COPY --chown=shop schema schema
# The one picture of the documentation that the shop serves.
COPY --chown=shop docs/erd.svg docs/
RUN mkdir -p var/media var/private var/static && chown -R shop var
USER shop
# Static files need no secret; this one is thrown away with the command.
RUN SECRET_KEY=collecting-static-files-needs-no-secret-at-all \
    ALLOWED_HOSTS=localhost python manage.py collectstatic --noinput --verbosity 0
EXPOSE 8000
VOLUME /app/var/media
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/live/')"]
CMD ["granian", "--interface", "asginl", "--http", "1", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--respawn-failed-workers", "--respawn-interval", "15", \
     "--workers-kill-timeout", "30", "shop.asgi:application"]

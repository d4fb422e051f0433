"""Settings, driven by the environment and safe by default.

Every value that a deployment may change is an environment variable (or a line in `.env`, which
`make run` creates from `.env.example`). With DEBUG off the project refuses to start with a default
secret or with open hosts.
"""

import os
import re
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
env.read_env(BASE_DIR / ".env")

# --- Safety ------------------------------------------------------------------------------------

DEVELOPMENT_SECRET = "development-only-secret-never-used-with-debug-off"  # noqa: S105 - refused below

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default=DEVELOPMENT_SECRET)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

if not DEBUG and (SECRET_KEY == DEVELOPMENT_SECRET or len(SECRET_KEY) < 32):
    raise ImproperlyConfigured(
        "With DEBUG off, SECRET_KEY must be set to at least 32 characters of your own. "
        "For development set DEBUG=1 (copy .env.example to .env)."
    )
if not DEBUG and any(host.strip() in ("*", "") for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("With DEBUG off, ALLOWED_HOSTS must name the hosts, not '*'.")

# --- Application -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    # Instead of "django.contrib.admin": with a site of our own.
    "shop.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # Before whitenoise: its `runserver` is the one that counts.
    "shop.development",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "graphene_django",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    # Swagger UI's files, and the command that writes the document that it shows.
    "drf_spectacular_sidecar",
    "schema.openapi",
    "shop",
]

MIDDLEWARE = [
    "shop.middleware.RequestIdMiddleware",
    "shop.middleware.SecurityHeadersMiddleware",
    "shop.middleware.HealthMiddleware",
    "shop.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "shop.middleware.RefusedBodyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Lazy, for the staff screens: the API never asks for the user of the cookie.
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "shop.middleware.StaffTimeZoneMiddleware",
    "shop.middleware.AuditMiddleware",
    "shop.middleware.OutageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
AUTH_USER_MODEL = "shop.User"
# E-mail addresses are unique by their normalised form (User.email_key), not as typed.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "auth.E003"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = "shop.formats"
USE_TZ = True

# --- Data --------------------------------------------------------------------------------------

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'shop.sqlite3'}")}
_database = DATABASES["default"]
# The server for development has a thread for each connection: with it a connection to the database
# would be left behind.
_runserver = sys.argv[1:2] == ["runserver"]
_database["CONN_MAX_AGE"] = 0 if _runserver else env.int("CONN_MAX_AGE", default=60)
_database["CONN_HEALTH_CHECKS"] = True
_database.setdefault("OPTIONS", {})
# Limits of database sessions, in seconds; 0 leaves the server's own (shop/database/timeouts.py).
# SQLite has one lock for all who write: waiting for it is usual there.
_is_sqlite = _database["ENGINE"].endswith("sqlite3")
DB_TIMEOUTS = {
    "lock": env.float("DB_LOCK_TIMEOUT_SECONDS", default=10 if _is_sqlite else 2),
    "statement": env.float("DB_STATEMENT_TIMEOUT_SECONDS", default=15),
    "idle_transaction": env.float("DB_IDLE_TRANSACTION_TIMEOUT_SECONDS", default=60),
}
# Those of workers and management commands.
DB_BACKGROUND_TIMEOUTS = {
    "lock": env.float("DB_BACKGROUND_LOCK_TIMEOUT_SECONDS", default=30),
    "statement": env.float("DB_BACKGROUND_STATEMENT_TIMEOUT_SECONDS", default=0),
    "idle_transaction": env.float("DB_BACKGROUND_IDLE_TRANSACTION_TIMEOUT_SECONDS", default=600),
}
# Seconds that connecting may take.
DB_CONNECT_TIMEOUT_SECONDS = env.int("DB_CONNECT_TIMEOUT_SECONDS", default=5)

if _is_sqlite:
    VAR_DIR.mkdir(exist_ok=True)
    # Immediate transactions take the write lock at BEGIN: writers queue for it, as long as the lock
    # timeout says, instead of failing halfway with "database is locked".
    _database["OPTIONS"] |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif _database["ENGINE"].endswith("mysql"):
    _database["OPTIONS"] |= {"charset": "utf8mb4", "isolation_level": "read committed"}
    _database["OPTIONS"].setdefault("connect_timeout", DB_CONNECT_TIMEOUT_SECONDS)
elif "postgresql" in _database["ENGINE"]:
    # A server that vanished without a word is noticed after 20 s, and not after hours.
    _database["OPTIONS"] = {
        "connect_timeout": DB_CONNECT_TIMEOUT_SECONDS,
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    } | _database["OPTIONS"]

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "shop",
        # It keeps nothing that cannot be asked for again: where it is gone, nothing is known.
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
        },
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# Whole answers to anonymous questions about the catalog (docs/how-it-works.md). In Redis, or in the
# memory of this machine's processes, or off. By itself it takes Redis; without one only the server
# for development, which is a single process, keeps answers. Whatever process writes tells it.
ANSWER_CACHE = env.str("ANSWER_CACHE", default="auto")
if ANSWER_CACHE not in ("auto", "redis", "memory", "off"):
    raise ImproperlyConfigured("ANSWER_CACHE must be auto, redis, memory or off.")
if ANSWER_CACHE == "redis" and not REDIS_URL:
    raise ImproperlyConfigured("ANSWER_CACHE=redis needs REDIS_URL.")
_single = _runserver and not env.str("CELERY_BROKER_URL", default="")
ANSWERS_SERVED = ANSWER_CACHE != "off" and bool(ANSWER_CACHE != "auto" or REDIS_URL or _single)
if ANSWER_CACHE == "auto":
    ANSWER_CACHE = "redis" if REDIS_URL else "memory"
# Seconds that an answer lives at most, and what each process may keep.
ANSWER_CACHE_SECONDS = env.int("ANSWER_CACHE_SECONDS", default=300)
ANSWER_CACHE_MEGABYTES = env.int("ANSWER_CACHE_MEGABYTES", default=64)
GENERATIONS_FILE = VAR_DIR / "generations"
# Seconds for which a CDN and browsers may keep such answers to GET requests, and for how many more
# they may show them while they ask for new ones. Nobody calls back what they keep.
ANSWER_CDN_SECONDS = env.int("ANSWER_CDN_SECONDS", default=0)
ANSWER_CDN_STALE_SECONDS = env.int("ANSWER_CDN_STALE_SECONDS", default=0)

# --- Background work ---------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
# Where tasks run (shop/outbox/processing.py): with no broker, in threads of the web server.
BACKGROUND = "celery" if CELERY_BROKER_URL else "threads"
# shop/celery.py has what does not depend on the place: queues, acknowledgements, confirms.
# Days after which events, webhook deliveries and records of mails are removed.
OUTBOX_DAYS = env.int("OUTBOX_DAYS", default=14)
# Days after which dead letters (tasks that failed for good) are removed.
DEAD_LETTER_DAYS = env.int("DEAD_LETTER_DAYS", default=30)
# Days after which imports and exports are removed, with their files.
JOB_DAYS = env.int("JOB_DAYS", default=90)
# Days after which entries of the audit are removed.
AUDIT_DAYS = env.int("AUDIT_DAYS", default=730)
# Days after which an order of an erased account loses its address, delivered or not.
ERASED_ORDER_DAYS = env.int("ERASED_ORDER_DAYS", default=60)
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=4)

# Lets webhooks go to this machine and to private networks: to develop receivers, and for tests.
WEBHOOK_ALLOW_PRIVATE = env.bool("WEBHOOK_ALLOW_PRIVATE", default=False)

# --- Files -------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
# In development files are served where they lie, in production as `collectstatic` gathered them.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(VAR_DIR / "media"))
# S3-compatible storage for uploads when a bucket is named, this disk otherwise.
S3_BUCKET = env.str("S3_BUCKET", default="")
_bucket = {
    "bucket_name": S3_BUCKET,
    "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
    "region_name": env.str("S3_REGION", default="") or None,
    "access_key": env.str("S3_ACCESS_KEY", default="") or None,
    "secret_key": env.str("S3_SECRET_KEY", default="") or None,
    "querystring_auth": False,
    "file_overwrite": False,
}
# Files of jobs: no address leads there. In a bucket they lie below private/, which it must not
# show to anyone.
PRIVATE_ROOT = env.path("PRIVATE_ROOT", default=str(VAR_DIR / "private"))
STORAGES = {
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _bucket}
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "private": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": _bucket | {"location": "private", "querystring_auth": True},
    }
    if S3_BUCKET
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(PRIVATE_ROOT),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedStaticFilesStorage"
    },
}
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=10 * 1024 * 1024)
# A catalog to be imported, unpacked.
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=200 * 1024 * 1024)
# What a multipart request of staff may hold in all, beside what anyone's may.
UPLOAD_STAFF_MAX_BYTES = IMPORT_MAX_BYTES
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("BODY_MAX_BYTES", default=1024 * 1024)

# --- Web server (shop/asgi.py) -----------------------------------------------------------------

# Threads of each process that run requests: each has a connection to the database.
SERVER_THREADS = env.int("SERVER_THREADS", default=3)
# Seconds to receive a request body, and one more for each BODY_MIN_RATE bytes that have come.
BODY_TIMEOUT = env.int("BODY_TIMEOUT", default=20)
BODY_MIN_RATE = env.int("BODY_MIN_RATE", default=16 * 1024)
# Seconds that a client may take to read 64 KiB of a response.
SEND_TIMEOUT = env.int("SEND_TIMEOUT", default=30)
# Bytes of request bodies above 64 KiB that each process buffers on disk, and for one client.
BODY_BUFFER_BYTES = env.int("BODY_BUFFER_BYTES", default=1024 * 1024 * 1024)
BODY_BUFFER_CLIENT_BYTES = env.int("BODY_BUFFER_CLIENT_BYTES", default=BODY_BUFFER_BYTES // 2)
# Bytes of responses that one client has not read and each process holds in memory for it.
RESPONSE_BUFFER_CLIENT_BYTES = env.int("RESPONSE_BUFFER_CLIENT_BYTES", default=32 * 1024 * 1024)

# --- Mail --------------------------------------------------------------------------------------

# Without a mail server: to the console in development, and none in production.
_mail = env.email_url("EMAIL_URL", default="consolemail://" if DEBUG else "dummymail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"] or None
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="shop@localhost")
# Port of the development server; `make run PORT=9000` sets it.
PORT = env.int("PORT", default=8000)
# Where people find this server: links to its own pages begin with it.
SITE_URL = env.str("SITE_URL", default=f"http://localhost:{PORT}").rstrip("/")
# Address of the storefront: its pages account/confirm, account/reset, account/email and
# orders/<number> get the `token` of a link in a mail; cart needs none. While it is empty, mails
# link to the pages of this server (shop.customer_pages).
STOREFRONT_URL = env.str("STOREFRONT_URL", default="").rstrip("/")

# --- The shop ----------------------------------------------------------------------------------

SHOP_NAME = env.str("SHOP_NAME", default="Sample Shop")
SHOP_CURRENCY = env.str("SHOP_CURRENCY", default="USD")
if not re.fullmatch("[A-Z]{3}", SHOP_CURRENCY):
    raise ImproperlyConfigured("SHOP_CURRENCY must be an ISO 4217 code such as EUR.")
# Where the shop is: the taxes of this country are shown while nobody knows where things go.
SHOP_COUNTRY = env.str("SHOP_COUNTRY", default="US")
# Time zone of the staff pages: an IANA name such as Europe/Berlin. The API answers in UTC.
SHOP_TIME_ZONE = env.str("SHOP_TIME_ZONE", default="UTC")
try:
    ZoneInfo(SHOP_TIME_ZONE)
except (ValueError, OSError, ZoneInfoNotFoundError) as _error:
    raise ImproperlyConfigured(
        "SHOP_TIME_ZONE must be an IANA time zone such as Europe/Berlin."
    ) from _error
# Whether prices of goods and shipping include the tax; else it comes on top.
PRICES_INCLUDE_TAX = env.bool("PRICES_INCLUDE_TAX", default=False)
# Tax on the postage: PROPORTIONAL takes the rates of the goods that are shipped, in proportion to
# their value; OWN_RATE takes the rate of the tax category "shipping". Orders keep their taxes.
SHIPPING_TAX = env.str("SHIPPING_TAX", default="PROPORTIONAL")
if SHIPPING_TAX not in ("PROPORTIONAL", "OWN_RATE"):
    raise ImproperlyConfigured("SHIPPING_TAX must be PROPORTIONAL or OWN_RATE.")
# Who is told that stock runs low, and that a payment is disputed.
STAFF_EMAIL = env.str("STAFF_EMAIL", default="")
# Voucher codes that do not exist, which one client address may try in a minute.
VOUCHER_WRONG_CODES_PER_MINUTE = env.int("VOUCHER_WRONG_CODES_PER_MINUTE", default=30)
if VOUCHER_WRONG_CODES_PER_MINUTE < 1:
    raise ImproperlyConfigured("VOUCHER_WRONG_CODES_PER_MINUTE must be 1 or more.")
# Minutes that a customer has to pay before an order expires and its stock is free again.
CHECKOUT_MINUTES = env.int("CHECKOUT_MINUTES", default=30)
# Lines that one cart may have.
CART_MAX_LINES = env.int("CART_MAX_LINES", default=500)
if CART_MAX_LINES < 1:
    raise ImproperlyConfigured("CART_MAX_LINES must be 1 or more.")
# Days after which carts that nobody touches are removed.
CART_DAYS = env.int("CART_DAYS", default=90)
# Hours after which who asked for it is reminded of their cart.
CART_REMINDER_HOURS = env.int("CART_REMINDER_HOURS", default=24)
# Hours for which a request that comes again gets the reply of the first.
IDEMPOTENCY_HOURS = env.int("IDEMPOTENCY_HOURS", default=48)

# --- Payments ----------------------------------------------------------------------------------

# Bank transfer, cash and the like: orders are confirmed, staff say when the money has come.
MANUAL_PAYMENTS = env.bool("MANUAL_PAYMENTS", default=True)
# A provider that moves no money.
DEMO_PAYMENTS = env.bool("DEMO_PAYMENTS", default=DEBUG)
# Cards and wallets by Stripe, when there is a key.
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
# Whether Stripe only authorizes: then staff capture, within the seven days that cards allow.
STRIPE_CAPTURE_LATER = env.bool("STRIPE_CAPTURE_LATER", default=False)
# Where Stripe's API is; another address is for tests.
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com")
# Seconds to wait for a provider; after that the payment is pending, and asked about later.
PAYMENT_TIMEOUT = env.int("PAYMENT_TIMEOUT", default=20)
# Requests of one process that may wait for a provider at once. Fewer than its threads: the others
# serve the shop while a provider hangs.
PAYMENT_CALLS = env.int("PAYMENT_CALLS", default=2)
if PAYMENT_CALLS >= SERVER_THREADS:
    raise ImproperlyConfigured("PAYMENT_CALLS must be less than SERVER_THREADS.")
if STRIPE_SECRET_KEY and not STRIPE_WEBHOOK_SECRET:
    raise ImproperlyConfigured("STRIPE_SECRET_KEY needs STRIPE_WEBHOOK_SECRET.")

# --- The API -----------------------------------------------------------------------------------

GRAPHQL_INTROSPECTION = env.bool("GRAPHQL_INTROSPECTION", default=DEBUG)
GRAPHQL_GRAPHIQL = env.bool("GRAPHQL_GRAPHIQL", default=DEBUG)
# Swagger UI at /api/docs/; the document that it shows, /api/openapi.json, is there either way.
API_DOCS = env.bool("API_DOCS", default=True)
# The reference at /docs/, which tells the whole schema.
GRAPHQL_REFERENCE = env.bool("GRAPHQL_REFERENCE", default=GRAPHQL_INTROSPECTION)
# Whether a request may ask for its SQL count and times.
GRAPHQL_DEBUG = env.bool("GRAPHQL_DEBUG", default=DEBUG)
# Each a maximum for one document; docs/frontend.md tells clients the defaults.
GRAPHQL_LIMITS = {
    "tokens": env.int("GRAPHQL_MAX_TOKENS", default=10_000),
    "operations": env.int("GRAPHQL_MAX_OPERATIONS", default=10),
    "depth": env.int("GRAPHQL_MAX_DEPTH", default=20),
    "fields": env.int("GRAPHQL_MAX_FIELDS", default=1_000),
    "spreads": env.int("GRAPHQL_MAX_SPREADS", default=300),
    "selection_fields": env.int("GRAPHQL_MAX_SELECTION_FIELDS", default=300),
    "selection_spreads": env.int("GRAPHQL_MAX_SELECTION_SPREADS", default=50),
    "repeats": env.int("GRAPHQL_MAX_REPEATS", default=15),
    "merged_repeats": env.int("GRAPHQL_MAX_MERGED_REPEATS", default=50),
    "aliases": env.int("GRAPHQL_MAX_ALIASES", default=100),
    "directives": env.int("GRAPHQL_MAX_DIRECTIVES", default=100),
    "root_fields": env.int("GRAPHQL_MAX_ROOT_FIELDS", default=50),
    "mutations": env.int("GRAPHQL_MAX_MUTATIONS", default=10),
    "values": env.int("GRAPHQL_MAX_VALUES", default=10_000),
    "cost": env.int("GRAPHQL_MAX_COST", default=50_000),
}
# What clients may spend on operations, in points of their cost: how many they have at once, and how
# many come back in a second. An address has many people behind it; 0 points: no limit.
COST_BUCKETS = {
    "anonymous": (
        env.int("COST_BUCKET_ANONYMOUS", default=100_000),
        env.int("COST_RESTORE_ANONYMOUS", default=5_000),
    ),
    "customer": (
        env.int("COST_BUCKET_CUSTOMER", default=100_000),
        env.int("COST_RESTORE_CUSTOMER", default=2_000),
    ),
    "staff": (
        env.int("COST_BUCKET_STAFF", default=200_000),
        env.int("COST_RESTORE_STAFF", default=10_000),
    ),
}
for _kind, (_size, _rate) in COST_BUCKETS.items():
    if _size and not (_rate > 0 and _size >= GRAPHQL_LIMITS["cost"]):
        # An operation that is allowed could never be run, however long its client waits.
        raise ImproperlyConfigured(
            f"COST_BUCKET_{_kind.upper()} must be 0 or hold GRAPHQL_MAX_COST, and "
            f"COST_RESTORE_{_kind.upper()} be 1 or more."
        )
# Whose requests may only name trusted operations (schema/trusted.py), and send no documents of
# their own: those of nobody, of who is not signed in, of everyone but staff, or all.
GRAPHQL_TRUSTED_ONLY = env.str("GRAPHQL_TRUSTED_ONLY", default="off")
if GRAPHQL_TRUSTED_ONLY not in ("off", "anonymous", "customers", "everyone"):
    raise ImproperlyConfigured(
        "GRAPHQL_TRUSTED_ONLY must be off, anonymous, customers or everyone."
    )
# Files with the documents of front ends, as their build tools write them: trusted as well.
GRAPHQL_TRUSTED_MANIFESTS = env.list("GRAPHQL_TRUSTED_MANIFESTS", default=[])
GRAPHENE = {"SCHEMA": "schema.root.schema"}

# Keys that verify what the present one did not sign, until all that it signed has expired.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# RS256 and EdDSA need PEM files: the first signs, all verify (schema/keys.py).
JWT_ALGORITHM = env.str("JWT_ALGORITHM", default="HS256")
JWT_KEY_FILES = env.list("JWT_KEY_FILES", default=[])
if JWT_ALGORITHM not in ("HS256", "RS256", "EdDSA"):
    raise ImproperlyConfigured("JWT_ALGORITHM must be HS256, RS256 or EdDSA.")
if JWT_ALGORITHM != "HS256" and not JWT_KEY_FILES:
    raise ImproperlyConfigured(f"{JWT_ALGORITHM} needs JWT_KEY_FILES.")
GRAPHQL_JWT = {
    "JWT_ALGORITHM": JWT_ALGORITHM,
    "JWT_VERIFY_EXPIRATION": True,
    "JWT_EXPIRATION_DELTA": timedelta(seconds=env.int("JWT_ACCESS_SECONDS", default=600)),
    "JWT_LONG_RUNNING_REFRESH_TOKEN": True,
    "JWT_REFRESH_EXPIRATION_DELTA": timedelta(days=env.int("JWT_REFRESH_DAYS", default=30)),
    "JWT_AUTH_HEADER_PREFIX": "Bearer",
    "JWT_AUDIENCE": "shop-api",
    "JWT_ISSUER": "shop",
    "JWT_PAYLOAD_HANDLER": "schema.authentication.payload_for",
    "JWT_DECODE_HANDLER": "schema.authentication.decode",
    "JWT_ENCODE_HANDLER": "schema.keys.encode",
}
# Browsers may have their refresh token kept in a cookie (schema/refresh_cookie.py).
REFRESH_COOKIE = env.bool("REFRESH_COOKIE", default=False)
# Strict, Lax, or None for pages of another site than the API's.
REFRESH_COOKIE_SAMESITE = env.str("REFRESH_COOKIE_SAMESITE", default="Strict")

CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = REFRESH_COOKIE
CORS_EXPOSE_HEADERS = ("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID")
CORS_URLS_REGEX = r"^/(graphql/?|api/.*)$"
# Client awareness of Apollo, conditional requests, trace context (W3C and Sentry), uploads.
CORS_ALLOW_HEADERS = (
    *default_headers,
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "baggage",
    "cart-token",
    "graphql-require-preflight",
    "idempotency-key",
    "if-none-match",
    "order-token",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "x-apollo-operation-name",
)

# --- Security ----------------------------------------------------------------------------------

# The account with a published password: its creation and its use.
DEMO_ACCOUNT = DEBUG
AUTHENTICATION_BACKENDS = ["shop.backends.AccountBackend"]
PASSWORD_HASHERS = [
    "shop.hashing.BoundedArgon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# What a hash takes; the defaults are OWASP's for servers. A change holds from the next sign-in on.
ARGON2_MEMORY_KIB = env.int("ARGON2_MEMORY_KIB", default=19 * 1024)
ARGON2_ITERATIONS = env.int("ARGON2_ITERATIONS", default=2)
# Passwords that are hashed at once on this machine, and how many more requests of a process may
# wait. Those wait in a thread: `make serve` has three in each process.
HASHES_AT_ONCE = env.int("HASHES_AT_ONCE", default=max((os.cpu_count() or 1) // 2, 1))
HASHING_QUEUE = env.int("HASHING_QUEUE", default=50 if DEBUG else 1)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Whether staff must have a second factor to open the staff screens.
STAFF_OTP_REQUIRED = env.bool("STAFF_OTP_REQUIRED", default=False)
OTP_TOTP_ISSUER = SHOP_NAME
# Seconds to wait after a first wrong code; each further one doubles them, up to 256 times.
OTP_TOTP_THROTTLE_FACTOR = 1
HTTPS = env.bool("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS and env.bool("SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
# These two bind other hosts of the domain, and are hard to take back: only by name.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "shop.screen_sessions"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Networks of the proxies in front of the shop. Of a request from one of them, X-Forwarded-For names
# the client; of any other request nobody looks at that header.
TRUSTED_PROXIES = [ip_network(name) for name in env.list("TRUSTED_PROXIES", default=[])]
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY and not TRUSTED_PROXIES:
    # All clients would seem to be one, the proxy: throttled together.
    raise ImproperlyConfigured("With BEHIND_PROXY, TRUSTED_PROXIES must name its network.")
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Metrics -----------------------------------------------------------------------------------

# Where a Datadog agent listens; empty sends nothing. The names are Datadog's own.
DD_AGENT_HOST = env.str("DD_AGENT_HOST", default="")
DD_DOGSTATSD_PORT = env.int("DD_DOGSTATSD_PORT", default=8125)

# --- Logging -----------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "shop.request_ids.RequestIdFilter"},
        "no_tokens": {"()": "shop.request_ids.TokenFilter"},
    },
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id", "no_tokens"],
            "formatter": "line",
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # The development server writes whole addresses, and those of links have tokens in them.
        "django.server": {"handlers": ["console"], "propagate": False},
        # In the web server's own log, tasks that went well are noise.
        "celery.app.trace": {"level": "WARNING" if BACKGROUND == "threads" else "INFO"},
        # At other levels the library writes down whole requests and answers, with client secrets.
        "stripe": {"level": "WARNING"},
    },
}

# --- Admin -------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "SITE_URL": "/graphql/",
    "SITE_SUBHEADER": "shop.admin.navigation.time_zone",
    "SITE_SYMBOL": "storefront",
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"navigation": "shop.admin.navigation.sidebar"},
    "DASHBOARD_CALLBACK": "shop.admin.navigation.home",
    "ACCOUNT": {"navigation": "shop.admin.navigation.account"},
    "SITE_FAVICONS": [{"rel": "icon", "href": "/static/favicon.svg", "type": "image/svg+xml"}],
    "STYLES": ["/static/staff/screens.css"],
}

"""What every test may use: a client for the API, people, and a small shop."""

import json
import os

# Tests run with development settings, whatever the machine's own environment says.
os.environ["DEBUG"] = "1"
os.environ["HTTPS"] = "0"
os.environ["SHOP_CURRENCY"] = "USD"
# All requests of a run come from one address: servers of tests let it spend what it likes.
os.environ["COST_BUCKET_ANONYMOUS"] = "0"
os.environ["COST_BUCKET_CUSTOMER"] = "0"
os.environ["COST_BUCKET_STAFF"] = "0"
# Servers of tests keep no answers, but those whose tests are about it.
os.environ["ANSWER_CACHE"] = "off"

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as project
from django.core.cache import cache
from django.core.files.storage import storages
from django.db import connection, models
from django.test import Client, TransactionTestCase
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp import models as otp_totp
from graphql import get_named_type, is_leaf_type
from graphql_jwt.shortcuts import get_token
from graphql_relay import to_global_id

from schema.root import schema
from shop.actions import inventory
from shop.actions.catalog import categories, media, products, taxonomy
from shop.actions.customers import second_factor
from shop.compiled import Compiled
from shop.models import Product, Stock, ThrottleEntry, User, Variant
from tests.databases import empty, keep_migrated, migrated_before, moved_to
from tests.kept import Kept
from tests.redis_server import Redis

# A failed assertion in a module beside tests is explained as one in a test.
pytest.register_assert_rewrite("tests.shop", "tests.concurrency")


def _take_own_redis() -> None:
    """Tests empty their Redis database: each process has one of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if project.REDIS_URL and worker:
        server, _, number = project.REDIS_URL.rpartition("/")
        project.REDIS_URL = f"{server}/{int(number) - 2 - int(worker.removeprefix('gw'))}"
        project.CACHES["default"]["LOCATION"] = project.REDIS_URL


_take_own_redis()
# Tests that commit clean up this way: Django has no setting for it.
TransactionTestCase._fixture_teardown = lambda _: empty()
# pytest-django reads the settings before the environment is changed above, for child processes.
# What a test that is rolled back has read must not be told to the next: those of it turn it on.
project.ANSWER_CACHE, project.ANSWERS_SERVED = "off", False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reasons = {}
    if connection.vendor != "postgresql":
        reasons["postgresql"] = "needs PostgreSQL: SQLite lets one writer in at a time"
        reasons["services"] = "starts services of its own: `make test-services` runs it"
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are processors: some tests wait for servers that they start."""
    return (os.cpu_count() or 1) + 1


# Seconds of one processor that a test takes on average, for the estimate at the start of a run.
SECONDS_OF_A_TEST = 0.075


def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    """Says before the first test how many there are, and about how long they take."""
    config = node.config
    if getattr(config, "is_announced", False):
        return
    config.is_announced = True
    processes = config.getoption("numprocesses") or 1
    minutes = len(ids) * SECONDS_OF_A_TEST / min(processes, os.cpu_count() or 1) / 60
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    terminal.write_line(
        f"{len(ids):,} tests in {processes} processes: about {max(round(minutes), 1)} minutes."
    )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """Runs before the test database is made: see `migrated_before`."""
    with migrated_before():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """No test has the server of the database die: nobody waits until a commit is on the disk."""
    with django_db_blocker.unblock():
        keep_migrated()
    if connection.vendor == "postgresql":
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        with django_db_blocker.unblock():
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            # It holds for connections that are made from now on.
            connection.close()


@pytest.fixture(autouse=True)
def _clean(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of files and a cache of each test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    # In place: another STORAGES would make all storages anew, under tests that patch one.
    options = settings.STORAGES["private"]["OPTIONS"]
    monkeypatch.setitem(options, "location", str(tmp_path / "private"))
    monkeypatch.delitem(storages._storages, "private", raising=False)
    settings.ALLOWED_HOSTS = ["testserver"]
    # What is asked for runs at once; tests of other ways say so.
    settings.BACKGROUND = "inline"
    # Turns of their own as well: elsewhere on the machine others may hash.
    monkeypatch.setattr("shop.hashing.gettempdir", lambda: str(tmp_path))
    settings.COST_BUCKETS = dict.fromkeys(settings.COST_BUCKETS, (0, 0))
    # The quickest hasher there is: no test measures how slow hashing should be.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def shared_database(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """A database that threads and other processes may use at the same time.

    SQLite in memory refuses at once where its file waits: the test moves to a file.
    """
    if connection.vendor == "sqlite":
        with moved_to(tmp_path / "shared.sqlite3"):
            yield
    else:
        yield


@pytest.fixture
def api(client: Client) -> Callable[..., dict[str, Any]]:
    """`api(document, user=None, **variables)`: the JSON answer of the endpoint over HTTP."""

    def send(document: str, user: User | None = None, **variables: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {get_token(user)}"} if user else {}
        response = client.post(
            "/graphql/",
            {"query": document, "variables": variables},
            content_type="application/json",
            headers=headers,
        )
        return response.json()

    return send


@pytest.fixture
def upload(client: Client) -> Callable[..., dict[str, Any]]:
    """`upload(document, user, file, **values)`: as `api`, with `file` in the input `values`."""

    def send(document: str, user: User | None, file: Any, /, **values: Any) -> dict[str, Any]:
        variables = {"input": {**values, "file": None}}
        form = {
            "operations": json.dumps({"query": document, "variables": variables}),
            "map": json.dumps({"0": ["variables.input.file"]}),
            "0": file,
        }
        headers = {"Apollo-Require-Preflight": "1"}
        if user:
            headers["Authorization"] = f"Bearer {get_token(user)}"
        return client.post("/graphql/", form, headers=headers).json()

    return send


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis of the test's own."""
    server = Redis(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("staff@example.org", "a staff password")


@pytest.fixture
def customer(db: None) -> User:
    return User.objects.create_user("ann@example.org", "a customer password")


@pytest.fixture
def gid() -> Callable[[Any], str]:
    """`gid(row)`: the global id of a row."""
    return lambda row: to_global_id(type(row).__name__, row.pk)


def make_product(number: int, **fields: Any) -> Product:
    """A published product "Mug <number>" at <number> dollars, with four variants and pictures."""
    variants = [
        {
            "sku": f"MUG-{number}-{size}",
            "options": [{"name": "Size", "value": size}],
            "price": number * 100 + place,
            "weight_grams": 300,
        }
        for place, size in enumerate("SMLX")
    ]
    product = products.create(
        **{"name": f"Mug {number}", "variants": variants, "status": "published", **fields}
    )
    for place in range(4):
        media.add_url(product, f"https://pictures.example.org/{number}-{place}.jpg", alt="A mug")
    return product


def make_world() -> SimpleNamespace:
    shop = SimpleNamespace(products=[])
    shop.kitchen = categories.create(name="Kitchen")
    shop.drinkware = categories.create(name="Drinkware", parent=shop.kitchen)
    shop.mugs = categories.create(name="Mugs", parent=shop.drinkware)
    shop.garden = categories.create(name="Garden")
    shop.brand = taxonomy.create_brand(name="Ladlemoor")
    shop.material = taxonomy.create_attribute(name="Material", values=["Clay", "Glass"])
    shop.clay, shop.glass = shop.material.values.order_by("name_key")
    shop.collection = taxonomy.create_collection(name="Gifts")
    add_products(shop, 4)
    return shop


def add_products(shop: SimpleNamespace, count: int) -> None:
    start = len(shop.products) + 1
    for number in range(start, start + count):
        shop.products.append(
            make_product(
                number,
                category=shop.mugs if number % 2 else shop.drinkware,
                brand=shop.brand,
                attribute_values=[shop.clay if number % 2 else shop.glass],
            )
        )
    taxonomy.set_products(shop.collection, shop.products)


def count_stock(on_hand: int = 10) -> None:
    """Gives stock to the variants that have none."""
    rows = Variant.objects.filter(stock=None).order_by("pk")
    inventory.open_stock(Stock(variant=row, on_hand=on_hand) for row in rows)


@pytest.fixture(scope="session")
def _kept_world(django_db_setup: None, django_db_blocker: Any) -> Kept:
    with django_db_blocker.unblock():
        return Kept("world", make_world)


@pytest.fixture
def world(db: None, _kept_world: Kept) -> SimpleNamespace:
    """A small shop: Kitchen > Drinkware > Mugs, a brand, an attribute, a collection."""
    shop = _kept_world.copied()
    shop.add, shop.count = partial(add_products, shop), count_stock
    return shop


@pytest.fixture
def mutate(api: Any, staff: User) -> Callable[..., dict[str, Any]]:
    """`mutate("brandCreate", "brand { slug }", name="Acme")`: the payload, as staff."""

    def send(mutation: str, selection: str = "", /, **values: Any) -> dict[str, Any]:
        answer = api(_mutation_document(mutation, selection), staff, input=values)
        assert "errors" not in answer, answer["errors"]
        return answer["data"][mutation]

    return send


@pytest.fixture
def mutation_error(api: Any, staff: User) -> Callable[..., str]:
    """`mutation_error("brandDelete", id="garbage")`: the code of the top-level error, as staff."""

    def send(mutation: str, /, **values: Any) -> str:
        answer = api(_mutation_document(mutation), staff, input=values)
        assert (answer.get("data") or {}).get(mutation) is None
        (error,) = answer["errors"]
        return error["extensions"]["code"]

    return send


@pytest.fixture
def refuse(mutate: Any, dump: Any) -> Callable[..., tuple[str, list[str]]]:
    """As `mutate`, for input that is refused: code and field. Checks that nothing is written."""

    def send(mutation: str, /, **values: Any) -> tuple[str, list[str]]:
        fields = schema.graphql_schema.mutation_type.fields[mutation].type.fields
        results = fields.keys() - {"userErrors", "clientMutationId"}
        leaves = {name for name in results if is_leaf_type(get_named_type(fields[name].type))}
        selection = " ".join(name if name in leaves else f"{name} {{ id }}" for name in results)
        before = dump()
        payload = mutate(mutation, selection, **values)
        assert dump() == before
        assert not any(payload[name] for name in results)
        (error,) = payload["userErrors"]
        assert error["message"].endswith(".")
        return error["code"], error["field"]

    return send


@pytest.fixture
def dump(db: None) -> Callable[[], dict[str, list[dict[str, Any]]]]:
    """`dump()`: all rows of the shop, but the counts of tries, which outlive refusals."""

    def read() -> dict[str, list[dict[str, Any]]]:
        return {
            label: [dict(zip(names, row, strict=True)) for row in rows.all()]
            for label, (names, rows) in _tables().items()
        }

    return read


@lru_cache(maxsize=1)
def _tables() -> dict[str, tuple[list[str], Compiled[Any]]]:
    """Columns and rows of each table, compiled once: hundreds of tests look at them all."""
    found = {}
    for app in ("shop", "otp_totp", "otp_static"):
        for model in apps.get_app_config(app).get_models(include_auto_created=True):
            if model is not ThrottleEntry:
                names = [field.attname for field in model._meta.concrete_fields]
                found[model._meta.label] = (names, Compiled(_all_rows(model, names)))
    return found


def _all_rows(model: type[models.Model], names: list[str]) -> Callable[[], models.QuerySet]:
    return lambda: model._base_manager.order_by("pk").values_list(*names)


def _mutation_document(mutation: str, selection: str = "") -> str:
    input_type = f"{mutation[0].upper()}{mutation[1:]}Input!"
    errors = "userErrors { code message field }"
    return (
        f"mutation($input: {input_type}) {{ {mutation}(input: $input) {{ {selection} {errors} }} }}"
    )


@pytest.fixture
def unknown() -> Callable[[str], str]:
    """`unknown("Brand")`: a well-formed global id that no row has."""
    return lambda kind: to_global_id(kind, 987_654_321)


@pytest.fixture
def mug(world: SimpleNamespace, gid: Any) -> SimpleNamespace:
    """Global ids of the first product of the world, of its variants and of its pictures."""
    row = world.products[0]
    return SimpleNamespace(
        row=row,
        id=gid(row),
        variants=[gid(variant) for variant in row.variants.order_by("position")],
        media=[gid(picture) for picture in row.media.order_by("position")],
    )


class Authenticator:
    """An authenticator app, and the clock that it shares with the server."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    def code(self, user: User, *, steps: int = 0) -> str:
        """What the app shows, `steps` times half a minute from now."""
        device = otp_totp.TOTPDevice.objects.get(user=user)
        totp = TOTP(device.bin_key, drift=steps)
        totp.time = self.now
        return f"{totp.token():06}"

    def turn_on(self, user: User) -> list[str]:
        """Gives `user` a second factor, a while ago. Returns the recovery codes."""
        second_factor.begin(user)
        codes = second_factor.enable(user, self.code(user))
        self.now += 300
        return codes


@pytest.fixture
def authenticator(monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    app = Authenticator()
    monkeypatch.setattr(otp_totp, "time", app)
    return app


@pytest.fixture
def selling(world: SimpleNamespace) -> SimpleNamespace:
    """The small shop, open for business: stock, shipping to Germany, 20 % tax on top."""
    # Here, so that its assertions are explained: see above.
    from tests.shop.selling import open_for_business

    return open_for_business(world)

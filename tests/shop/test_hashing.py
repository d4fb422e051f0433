"""Passwords are hashed a few at a time, on the whole machine."""

import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import argon2
import pytest
from django.contrib.auth.hashers import check_password, make_password

from shop import hashing
from shop.errors import Busy
from shop.models import User

HASHERS = [
    "shop.hashing.BoundedArgon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]


@pytest.fixture
def argon(settings: Any) -> None:
    """The real hasher."""
    settings.PASSWORD_HASHERS = HASHERS
    settings.HASHES_AT_ONCE = 1


@pytest.mark.usefixtures("argon")
def test_argon2id_takes_19_mib_and_two_passes() -> None:
    hashed = make_password("ladles of clay")
    found = argon2.extract_parameters(hashed.removeprefix("argon2"))
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (
        argon2.Type.ID,
        19 * 1024,
        2,
        1,
    )
    assert check_password("ladles of clay", hashed)
    assert not check_password("ladles of cloy", hashed)


@pytest.mark.django_db
@pytest.mark.parametrize("before", ["pbkdf2_sha256", "argon2"])
@pytest.mark.usefixtures("argon")
def test_signing_in_renews_an_old_hash(before: str, settings: Any) -> None:
    user = User(email="ann@example.org")
    settings.ARGON2_MEMORY_KIB = 1024
    user.password = make_password("ladles of clay", hasher=before)
    user.save()
    settings.ARGON2_MEMORY_KIB = 2048
    assert user.check_password("ladles of clay")
    stored = User.objects.get().password
    assert "m=2048,t=2,p=1" in stored
    assert check_password("ladles of clay", stored)


@pytest.mark.usefixtures("argon")
def test_one_thread_has_its_turn_some_wait_and_others_are_sent_away(settings: Any) -> None:
    settings.HASHING_QUEUE = 1
    begun, done = threading.Event(), threading.Event()
    order: list[str] = []

    def hold() -> None:
        with hashing.turn():
            begun.set()
            done.wait(10)
            order.append("first")

    def wait() -> None:
        with hashing.turn():
            order.append("second")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hold)
        assert begun.wait(10)
        second = pool.submit(wait)
        while hashing._present < 2:
            time.sleep(0.001)
        with pytest.raises(Busy), hashing.turn():
            pass
        done.set()
        first.result(10)
        second.result(10)
    assert order == ["first", "second"]
    with hashing.turn():
        pass


@pytest.mark.usefixtures("argon")
def test_nobody_waits_for_long(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HASHING_QUEUE = 5
    monkeypatch.setattr(hashing, "PATIENCE", 0.05)
    with ThreadPoolExecutor(1) as pool:
        with hashing.turn():
            refused = pool.submit(lambda: hashing.turn().__enter__()).exception(10)
        assert isinstance(refused, Busy)
    assert hashing._present == 0


@pytest.mark.usefixtures("argon")
def test_a_folder_of_somebody_else_is_not_used(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path / "var"
    other = os.getuid() + 1
    taken = tmp_path / f"shop-hashing-{other}"
    taken.mkdir()
    # From now on everything on this disk is somebody else's.
    monkeypatch.setattr(hashing.os, "getuid", lambda: other)
    with hashing.turn():
        used = (tmp_path / "var" / "hashing" / "0").exists()
    assert used
    assert list(taken.iterdir()) == []


@pytest.mark.usefixtures("argon")
def test_within_a_turn_hashing_waits_for_nothing() -> None:
    with hashing.turn():
        assert check_password("ladles", make_password("ladles"))


def _hold(seconds: float, begun: Any) -> None:
    with hashing.turn():
        begun.set()
        time.sleep(seconds)


@pytest.mark.usefixtures("argon")
def test_other_processes_of_the_machine_have_turns_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hashing, "PATIENCE", 0.1)
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    other = context.Process(target=_hold, args=(60, begun))
    other.start()
    assert begun.wait(10)
    with pytest.raises(Busy), hashing.turn():
        pass
    # A process that dies leaves no turn taken.
    other.kill()
    other.join(10)
    with hashing.turn():
        pass

"""Real servers for every test that wants them: one stack a session, a fresh database and an empty Valkey a test."""

from __future__ import annotations

import gc
import re
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import cast

import hypothesis
import psycopg
import pytest
import redis

from shaketable import cli
from shaketable.checks import CHECKS
from shaketable.faults import FAULTS
from shaketable.stack import ports
from shaketable.stack.choice import Choice, Kind
from shaketable.stack.host import HostStack
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.supervisor import Supervisor
from tests.support.golden import Golden

ROOT = Path(__file__).parents[1]

#: A shell that puts a job into the background has it ignore SIGINT, and its children too; tests send it to theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` ignores it


#: Tests and what they import stay to the end: the collector need not look at them, now and later.
gc.disable()


#: No example is too slow: a busy machine makes any one so.
hypothesis.settings.register_profile("tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tests")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs every night is slow, so that the quick suite leaves it out. Long tests come first.

    Processes that share the tests then end at about one time.
    """
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker("slow")
        elif item.get_closest_marker("slow") and not _says_slow(item.path):
            raise pytest.UsageError(f"expected {item.path} to say `slow`: `make test-slow` collects such files only")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@cache
def _says_slow(path: Path) -> bool:
    return re.search(r"\bslow\b", path.read_text(encoding="utf-8")) is not None


@pytest.fixture
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Golden:
    """Compares an output with its golden file."""
    return Golden(request.config.getoption("--update-golden"), {str(tmp_path): "FOLDER", str(ROOT): "CHECKOUT"})


class Servers:
    """Direct addresses; `stack` gives links through Toxiproxy. The database is made when it is first asked for."""

    def __init__(self, stack: HostStack) -> None:
        self.stack, self.redis_url = stack, stack.redis_url()
        self.template = "template1"

    @property
    def postgres_url(self) -> str:
        """As the owner of a fresh database, who is no superuser."""
        return self.stack.owner_url().replace("/events?", f"/{self._database}?")

    @property
    def superuser_url(self) -> str:
        """To the same database."""
        return self.stack.admin_url().replace("/events?", f"/{self._database}?")

    @cached_property
    def _database(self) -> str:
        name = f"test_{secrets.token_hex(4)}"
        with psycopg.connect(self.stack.admin_url(), autocommit=True) as admin:
            admin.execute(f"create database {name} template {self.template} owner events")
        return name

    def start_from(self, template: str) -> None:
        """The database shall be a copy of that one. Raises AssertionError where there is one already."""
        assert "_database" not in vars(self), "ask for the settings first: the database is made already"
        self.template = template

    def close(self) -> None:
        """The database goes, if there is one."""
        if "_database" in vars(self):
            with psycopg.connect(self.stack.admin_url(), autocommit=True) as admin:
                admin.execute(f"drop database {self._database} with (force)")


@pytest.fixture(autouse=True)
def own_kinds() -> Iterator[None]:
    """A fault or check that a test's scenario adds is gone afterwards: every later verdict would list it.

    It asks for no `monkeypatch`: that would then end after all other fixtures, and `servers` would be closed in the
    environment that a test has set.
    """
    before = [(registry._kinds, dict(registry._kinds)) for registry in (FAULTS, CHECKS)]
    yield
    for kinds, kept in before:
        kinds.clear()
        kinds.update(kept)


#: The command line: its arguments in, its exit code and output back.
Typed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """The command line in this process, from the checkout: a process of its own takes a second to load it."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.chdir(ROOT)

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        given = [str(each) for each in arguments]
        capsys.readouterr()
        code = cli.guarded(lambda: cli.app(given, "shaketable", standalone_mode=False))
        return subprocess.CompletedProcess(given, code, *capsys.readouterr())

    return run


#: What the tests of a module with EVERY_STACK = True stand on, one after another; those of containers are marked so.
STACKS = ["local", pytest.param("containers", marks=pytest.mark.containers)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stack" in metafunc.fixturenames and getattr(metafunc.module, "EVERY_STACK", False):
        metafunc.parametrize("stack", STACKS, indirect=True, scope="session")


@contextmanager
def opened(kind: Kind, logs: Path, options: ServerOptions = ServerOptions()) -> Iterator[HostStack]:
    """A stack of that kind."""
    run_id = f"test-{secrets.token_hex(4)}"
    supervisor = Supervisor(run_id)
    try:
        with ports.reserve() as block, Choice(kind).open(run_id, block, supervisor, logs, print, options) as running:
            yield cast(HostStack, running)
    finally:
        supervisor.close()


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kind], HostStack]]:
    """Each stack by its kind, started when it is first asked for; pytest may ask for `stack` many times a session."""
    with ExitStack() as running:

        @cache
        def started(kind: Kind) -> HostStack:
            return running.enter_context(opened(kind, tmp_path_factory.mktemp("logs")))

        yield started


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, stacks: Callable[[Kind], HostStack]) -> HostStack:
    """The stack: the local one, where tests do not want every one."""
    return stacks(getattr(request, "param", "local"))


@pytest.fixture
def servers(stack: HostStack) -> Iterator[Servers]:
    """The stack with a fresh database of the target's role, and an empty Valkey."""
    redis.Redis.from_url(stack.redis_url()).flushall()
    made = Servers(stack)
    yield made
    made.close()

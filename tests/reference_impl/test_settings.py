"""Settings: defaults are the design's, a wrong one is refused by name."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from reference_impl.delivery import consumer
from reference_impl.errors import SettingsError
from reference_impl.ingest import server
from reference_impl.settings import LANE_WAIT_S, SESSION_SHARE, Settings
from reference_impl.store import connections


def test_settings_are_read_by_their_names_in_capitals() -> None:
    settings = Settings.read({"LEASE_S": "2.5", "MAX_RETRIES": "3", "RETRY_STRATEGY": "linear", "PATH": "/bin"})
    assert (settings.lease_s, settings.max_retries, settings.retry_strategy) == (2.5, 3, "linear")


def test_lists_are_written_with_commas() -> None:
    settings = Settings.read({"RETRYABLE_ERRORS": "40001,BusyError", "RETRYABLE_MESSAGES": ""})
    assert (settings.retryable_errors, settings.retryable_messages) == (("40001", "BusyError"), ())


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("RETRY_JITTER", "2", "<= 1.0, got '2'"),
        ("CONCURRENCY", "many", "expected `int`, got 'many'"),
        ("RETRY_STRATEGY", "quadratic", "got 'quadratic'"),
        ("HTTP_PORT", "70000", "got '70000'"),
        ("LEASE_S", "nan", "got 'nan'"),
        ("REDIS_URL", "secret:6379", "redis://host:6379/0, got a value that is not shown"),
        ("REDIS_URL", "redis://host:secret", "got a value that is not shown"),
        ("DATABASE_URL", "secret", "postgresql://user@host:5432/database, got a value that is not shown"),
        ("ALERT_WEBHOOK_URL", "http://host:secret", "https://host:8443/path, got a value that is not shown"),
        ("ALERT_WEBHOOK_URL", "https://host:65536/secret", "got a value that is not shown"),
        ("ALERT_WEBHOOK_URL", "https://:8443/secret", "got a value that is not shown"),
        ("ALERT_WEBHOOK_URL", "host/secret", "got a value that is not shown"),
        ("BEARER_TOKEN", "two words", "got a value that is not shown"),
        ("RETRYABLE_ERRORS", "40001,,40P01", "length >= 1, got '40001,,40P01'"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(name: str, value: str, why: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.read({name: value})
    assert str(error.value).startswith(f"{name}: ")
    assert why in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "smaller", "its"),
    [
        ("RETRY_CAP_S", "2", "RETRY_BASE_S", "5"),
        ("QUEUE_BOUND", "10", "BATCH_SIZE", "100"),
        ("MAX_BATCH_BYTES", "1000", "MAX_EVENT_BYTES", "2000"),
        ("MAX_IN_FLIGHT_BYTES", "3000000", "MAX_BATCH_BYTES", "4000000"),
        ("DEAD_LETTER_RETENTION_DAYS", "7.5", "DEAD_LETTER_ARCHIVE_DAYS", "8"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_both(
    name: str, value: str, smaller: str, its: str
) -> None:
    said = f"{name}: expected at least {smaller} ({its}), got {value}"
    with pytest.raises(SettingsError) as error:
        Settings.read({name: value, smaller: its})
    assert str(error.value) == said
    both: dict[str, Any] = {name.lower(): float(value), smaller.lower(): float(its)}
    with pytest.raises(SettingsError, match=name):  # the library's way
        Settings(**both).require()
    Settings.read({name: its, smaller: its})


@pytest.mark.parametrize(
    ("lease", "linger", "least"), [("0.79", "0.1", "0.8"), ("0.6", "0", "0.666667"), ("4", "3", "4.66667")]
)
def test_a_lease_within_which_a_lane_may_say_nothing_is_refused(lease: str, linger: str, least: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.read({"LEASE_S": lease, "BATCH_LINGER_S": linger})
    assert str(error.value).startswith(f"LEASE_S: expected more than {least}, got {lease}: ")
    assert f"BATCH_LINGER_S ({linger})" in str(error.value)
    Settings.read({"LEASE_S": f"{float(least) + 0.001}", "BATCH_LINGER_S": linger})
    assert (LANE_WAIT_S, SESSION_SHARE) == (consumer.WAIT_S, connections.IDLE_SHARE)


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1", "a" * 64, "::1", ""])
def test_a_host_that_is_not_this_machines_is_refused_by_its_name(host: str) -> None:
    with pytest.raises(SettingsError) as error:
        server.bind(host, 8080)
    assert str(error.value).startswith("HTTP_HOST: ")
    assert str(error.value).endswith(f"got {host!r}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://u:p%40@h:5432/d?sslmode=disable"),
        ("DATABASE_URL", "host=/run/postgresql dbname=d"),
        ("REDIS_URL", "rediss://u:p@h:6380/3"),
        ("REDIS_URL", "unix:///run/valkey.sock?db=1"),
        ("ALERT_WEBHOOK_URL", "https://u:p@[::1]:8443/a?b=c"),
    ],
)
def test_an_address_is_taken_in_every_form_that_its_client_takes(name: str, value: str) -> None:
    settings = Settings.read({name: value})
    settings.require(name.lower())
    nonsense: dict[str, Any] = {name.lower(): "nonsense"}
    with pytest.raises(SettingsError, match=f"{name}: "):
        Settings(**nonsense).require(name.lower())


@pytest.mark.slow
def test_a_process_refuses_to_start_in_one_sentence() -> None:
    for environ, said in [
        ({"LEASE_S": "0"}, "LEASE_S: "),
        ({}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "dbname=d", "REDIS_URL": "localhost:6379"}, "REDIS_URL: "),
    ]:
        command = [sys.executable, "-m", "reference_impl", "work"]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert ended.returncode == 78
        assert ended.stderr.startswith(said)
        assert ended.stderr.count("\n") == 1


def test_help_names_every_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "reference_impl", "--help"], capture_output=True, text=True, check=True
    )
    assert all(
        command in ended.stdout
        for command in ("migrate", "ingest", "work", "dead-letters", "lanes", "retention", "verify")
    )

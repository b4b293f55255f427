"""What an error of the store means."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from reference_impl.errors import Failure
from reference_impl.resilience.error_classes import classify, to_store_error
from reference_impl.settings import Settings
from tests.reference_impl.conftest import row
from tests.reference_impl.test_store import put


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("22P05", Failure.DATA),
        ("22001", Failure.DATA),
        ("23502", Failure.DATA),
        ("54000", Failure.DATA),
        ("40001", Failure.RETRY),
        ("40P01", Failure.RETRY),
        ("55P03", Failure.RETRY),
        ("57014", Failure.RETRY),
        ("08006", Failure.UNAVAILABLE),
        ("53300", Failure.UNAVAILABLE),
        ("57P01", Failure.UNAVAILABLE),
        ("57P03", Failure.UNAVAILABLE),
        ("25006", Failure.UNAVAILABLE),
        ("42501", Failure.UNAVAILABLE),
        ("42P01", Failure.UNAVAILABLE),
        ("25P03", Failure.LANE_LOST),
        ("57P05", Failure.LANE_LOST),
        ("P0001", Failure.UNKNOWN),
        ("XX000", Failure.UNKNOWN),
        ("42703", Failure.UNKNOWN),
    ],
)
def test_each_code_is_in_one_row_of_the_table(code: str, failure: Failure) -> None:
    assert classify(errors.lookup(code)("said by the server")) is failure


def test_an_error_without_a_code_means_the_store_is_away() -> None:
    assert classify(psycopg.OperationalError("connection refused")) is Failure.UNAVAILABLE


def test_settings_say_what_else_is_tried_again() -> None:
    settings = Settings(retryable_errors=("57P03", "DiskFull"), retryable_messages=("cache lookup failed",))
    for code in ("57P03", "53100"):
        assert classify(errors.lookup(code)("x"), settings) is Failure.RETRY
    assert classify(errors.lookup("40001")("x"), settings) is Failure.UNKNOWN
    assert classify(errors.lookup("XX000")("cache lookup failed for type 17"), settings) is Failure.RETRY
    assert "lookup" not in str(to_store_error(errors.lookup("XX000")("cache lookup failed for type 17"), settings))


def test_what_is_told_never_quotes_the_server() -> None:
    assert "secret" not in str(to_store_error(errors.lookup("22P05")("secret")))


@pytest.mark.slow
def test_a_missing_partition_is_no_poison(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as connection, pytest.raises(errors.CheckViolation) as error:
        connection.execute(
            "insert into audit_log (id, position, event_id, timestamp, action, status, hash)"
            " values (1, 1, gen_random_uuid(), '2001-01-01Z', 'a', 'success', '')"
        )
    assert classify(error.value) is Failure.RETRY
    assert put(settings, [row(timestamp="2001-01-01T00:00:00Z")])[0].stored == 1


@pytest.mark.slow
def test_a_broken_check_is_data(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as connection, pytest.raises(errors.CheckViolation) as error:
        connection.execute(
            "insert into audit_log (id, position, event_id, timestamp, action, status, hash)"
            " values (1, 1, gen_random_uuid(), now(), 'a', 'done', '')"
        )
    assert classify(error.value) is Failure.DATA

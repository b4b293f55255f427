"""Settings: what the environment may set, with units in the names. A wrong one is refused at start, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self

import httpx
import msgspec
import psycopg
from msgspec import Meta
from psycopg.conninfo import conninfo_to_dict

from reference_impl.errors import SettingsError
from reference_impl.queue import address

Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Days = Annotated[float, Meta(gt=0, le=36_500)]
Share = Annotated[float, Meta(ge=0, le=1)]
Words = tuple[Annotated[str, Meta(min_length=1)], ...]  # in the environment: with commas between


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is read from the variable of its name in capitals; the defaults are the design's."""

    database_url: str = ""
    redis_url: str = ""
    http_host: str = "127.0.0.1"  # in a container: 0.0.0.0, and publish it on loopback
    http_port: Port = 8080
    http_allowed_hosts: Words = ()  # names besides localhost by which clients call it (Host), where no token is set
    http_allowed_origins: Words = ()  # of pages that may call it (Origin), such as https://console.example
    process: str = "reference"  # who this is, unique among the running processes
    incarnation: str = "0"  # which start of it
    state_dir: str = "."  # where transitions.jsonl is written
    bearer_token: Annotated[str, Meta(pattern="^[!-~]*$")] = ""  # who brings another gets 401; empty: nobody is asked

    hash_key: Annotated[str, Meta(pattern="^(.{16,})?$")] = ""  # of HMAC; the same for ever, from the first event on

    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 5  # lanes, shared by all workers; once set: `lanes`
    batch_size: Annotated[int, Meta(ge=1, le=100_000)] = 1000  # most events in one transaction
    batch_bytes: Count = 8_388_608  # most bytes of them, but for a single larger one
    batch_linger_s: Annotated[float, Meta(ge=0, le=60)] = 0.1  # least time between two small batches of a lane
    lease_s: Seconds = 10.0  # the longest a dead or frozen worker may hold a lane; longer than a lane says nothing
    attempt_timeout_s: Seconds = 5.0  # the longest one step may take: a batch, or a part of it in a search for poison
    connect_timeout_s: Seconds = 3.0  # the longest one connection to the store may take
    enqueue_timeout_s: Seconds = 2.0  # the longest wait for the queue's reply
    stop_grace_s: Seconds = 4.0  # told to stop: how long batches at hand may take before they are given back

    breaker_failure_threshold: Count = 5  # consecutive failed rounds that open it
    breaker_failure_rate: Share = 0.5  # or more than this share of the rounds …
    breaker_minimum_rounds: Count = 10  # … when there were at least so many …
    breaker_monitoring_s: Seconds = 60.0  # … in this window; health looks back as far
    breaker_recovery_timeout_s: Seconds = 30.0  # from OPEN to HALF_OPEN

    retry_strategy: Literal["exponential", "linear", "fixed"] = "exponential"
    retry_base_s: Seconds = 1.0
    retry_cap_s: Seconds = 30.0
    retry_jitter: Share = 0.1  # of the wait, either way
    max_retries: Annotated[int, Meta(ge=0, le=1000)] = 5
    #: Serialization failure, deadlock, lock time-out, statement time-out; SQLSTATEs, or names of types that are raised.
    retryable_errors: Words = ("40001", "40P01", "55P03", "57014")
    retryable_messages: Words = ()  # parts of messages, for what has no code of its own

    dead_letter_archive_days: Days = 7.0  # age at which a dead letter is archived …
    dead_letter_archive_url: str = ""  # … here, for fsspec; by default a folder in STATE_DIR
    dead_letter_retention_days: Days = 30.0  # age at which an archived one is deleted
    dead_letter_alert_threshold: Count = 10  # dead letters past which their number is an alert
    alert_webhook_url: Annotated[str, Meta(pattern=r"^(https?://.+)?$")] = (
        ""  # where alerts are posted, besides the log
    )
    alert_cooldown_s: Seconds = 300.0  # least time between two alerts of a kind
    upkeep_interval_s: Seconds = 300.0  # between two turns of archive, retention and numbers

    require_presets: bool = False  # until they were read once, from store or cache, intake answers 503
    preset_refresh_s: Seconds = 10.0  # between two looks for changed presets

    request_timeout_s: Seconds = 30.0  # the longest a request's head may take to arrive, and then its body
    queue_bound: Count = 1_000_000  # events in the queue past which intake answers 503
    max_in_flight: Count = 10_000  # events sent to the queue and unanswered, past which intake answers 503
    max_in_flight_bytes: Count = 67_108_864  # of bodies received and unanswered, past which intake answers 503
    max_event_bytes: Count = 262_144
    max_batch_bytes: Count = 4_194_304
    max_batch_events: Count = 10_000
    max_depth: Annotated[int, Meta(ge=1, le=500)] = 32  # of objects and arrays within each other

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The settings of this environment. Raises SettingsError naming the variable."""
        given = {field: environ[field.upper()] for field in cls.__struct_fields__ if field.upper() in environ}
        listed = {field: given[field].split(",") if given[field] else [] for field in LISTS & given.keys()}
        try:
            settings = msgspec.convert(given | listed, cls, strict=False)
        except msgspec.ValidationError as e:
            raise _wrong(str(e), given) from None
        settings._check()
        return settings

    def require(self, *fields: str) -> None:
        """Raise SettingsError unless each of these is set, and all of them agree."""
        for field in fields:
            if not getattr(self, field):
                raise SettingsError(f"{field.upper()} is not set: this process needs it in its environment")
        self._check()

    def _check(self) -> None:
        self._understand_addresses()
        for smaller, larger in _ORDERED:
            most, least = getattr(self, larger), getattr(self, smaller)
            if least > most:
                raise SettingsError(
                    f"{larger.upper()}: expected at least {smaller.upper()} ({least:.12g}), got {most:.12g}"
                )
        self._keep_sessions()

    def _keep_sessions(self) -> None:
        """Raise SettingsError where the server would end the session of a lane that lingers, and then waits."""
        silent_s = self.batch_linger_s + LANE_WAIT_S
        if silent_s >= self.lease_s * SESSION_SHARE:
            raise SettingsError(
                f"LEASE_S: expected more than {silent_s / SESSION_SHARE:.6g}, got {self.lease_s:.12g}: a lane may say "
                f"nothing for BATCH_LINGER_S ({self.batch_linger_s:.12g}) + {LANE_WAIT_S} s, and its session is ended "
                f"after {SESSION_SHARE} of the lease"
            )

    def _understand_addresses(self) -> None:
        """Raise SettingsError for one that its client would choke on later; it may hold a password, so is not shown."""
        for field, understand, like in _ADDRESSES:
            try:
                if value := getattr(self, field):
                    understand(value)
            except (ValueError, psycopg.Error, httpx.InvalidURL):
                raise SettingsError(f"{field.upper()}: expected {like}, got {UNSHOWN}") from None


def _webhook(url: str) -> None:
    address = httpx.URL(url)
    if not address.host or (address.port or 1) > 65535:
        raise ValueError("no host, or no port")


#: Fields, who reads them, and what they look like.
_ADDRESSES: tuple[tuple[str, Callable[[str], object], str], ...] = (
    ("database_url", conninfo_to_dict, "an address like postgresql://user@host:5432/database"),
    ("redis_url", address.parse, "an address like redis://host:6379/0"),
    ("alert_webhook_url", _webhook, "an address like https://host:8443/path"),
)
#: Fields of which the first is never more than the second: what lies between them could never be.
_ORDERED = (
    ("retry_base_s", "retry_cap_s"),
    ("batch_size", "queue_bound"),
    ("max_event_bytes", "max_batch_bytes"),
    ("max_batch_bytes", "max_in_flight_bytes"),
    ("dead_letter_archive_days", "dead_letter_retention_days"),
)
#: `lane.WAIT_S` and `database.IDLE_SHARE`, which cannot be imported here.
LANE_WAIT_S, SESSION_SHARE = 0.5, 0.75
UNSHOWN = "a value that is not shown"


LISTS = frozenset({"retryable_errors", "retryable_messages", "http_allowed_hosts", "http_allowed_origins"})


def _wrong(message: str, given: Mapping[str, str]) -> SettingsError:
    """msgspec's `Expected … - at `$.field``, told with the variable's name and the value that came."""
    what, _, path = message.partition(" - at ")
    what = what.partition(", got ")[0]
    field = path.strip("`$.").partition("[")[0]
    value = given.get(field, "")
    shown = UNSHOWN if field.endswith(("_url", "_token", "_key")) else repr(value)
    return SettingsError(f"{field.upper()}: {what[0].lower()}{what[1:]}, got {shown}")

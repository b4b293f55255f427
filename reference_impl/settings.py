"""Settings from the environment, with units in their names. A wrong value is refused at start."""

import os
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self

import msgspec
import psycopg
from msgspec import Meta
from psycopg.conninfo import conninfo_to_dict

from reference_impl.errors import SettingsError
from reference_impl.queue import streams

Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Days = Annotated[float, Meta(gt=0, le=36_500)]
Share = Annotated[float, Meta(ge=0, le=1)]
Words = tuple[Annotated[str, Meta(min_length=1)], ...]  # separated by commas in the environment


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is read from the environment variable of its name in capitals."""

    database_url: str = ""
    redis_url: str = ""
    http_host: str = "127.0.0.1"  # in a container: 0.0.0.0, and publish it on loopback
    http_port: Port = 8080
    http_allowed_hosts: Words = ()  # in `Host`, in addition to localhost, unless a token is set
    http_allowed_origins: Words = ()  # in `Origin`: pages that may call it, such as https://console.example
    process: str = "reference"  # unique among the running processes
    incarnation: str = "0"  # number of its start
    state_dir: str = "."  # where transitions.jsonl is written
    bearer_token: Annotated[str, Meta(pattern="^[!-~]*$")] = ""  # requests without it get 401; empty: no token

    hash_key: Annotated[str, Meta(pattern="^(.{16,})?$")] = ""  # of HMAC; never change it after the first event

    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 5  # lanes, shared by all workers; to change it later: `lanes`
    batch_size: Annotated[int, Meta(ge=1, le=100_000)] = 1000  # most events in one transaction
    batch_bytes: Count = 8_388_608  # most bytes of events in one transaction; a single larger event is allowed
    batch_linger_s: Annotated[float, Meta(ge=0, le=60)] = 0.1  # least time between two small batches of a lane
    lease_s: Seconds = 10.0  # longest that a dead or frozen worker may hold a lane
    attempt_timeout_s: Seconds = 5.0  # longest that a batch, or one step of an isolation, may take
    connect_timeout_s: Seconds = 3.0  # longest that connecting to the store may take
    enqueue_timeout_s: Seconds = 2.0  # longest wait for the queue's reply
    stop_grace_s: Seconds = 4.0  # after SIGTERM: longest that batches may take before they return to the queue

    breaker_failure_threshold: Count = 5  # consecutive failed attempts that open it
    breaker_failure_rate: Share = 0.5  # or more than this share of the attempts …
    breaker_minimum_rounds: Count = 10  # … if there were at least this many …
    breaker_monitoring_s: Seconds = 60.0  # … in this window, which the health score uses, too
    breaker_recovery_timeout_s: Seconds = 30.0  # from OPEN to HALF_OPEN

    retry_strategy: Literal["exponential", "linear", "fixed"] = "exponential"
    retry_base_s: Seconds = 1.0
    retry_cap_s: Seconds = 30.0
    retry_jitter: Share = 0.1  # of the wait, either way
    max_retries: Annotated[int, Meta(ge=0, le=1000)] = 5
    #: SQLSTATEs or names of exception types; by default serialization failure, deadlock, lock and statement time-out.
    retryable_errors: Words = ("40001", "40P01", "55P03", "57014")
    retryable_messages: Words = ()  # parts of messages, for errors without a code

    dead_letter_archive_days: Days = 7.0  # age at which a dead letter is archived …
    dead_letter_archive_url: str = ""  # … here, for fsspec; by default a folder in STATE_DIR
    dead_letter_retention_days: Days = 30.0  # age at which an archived one is deleted
    dead_letter_alert_threshold: Count = 10  # more dead letters than this are an alert
    #: Where alerts are posted, in addition to the log.
    alert_webhook_url: Annotated[str, Meta(pattern=r"^(https?://.+)?$")] = ""
    alert_cooldown_s: Seconds = 300.0  # least time between two alerts of a kind
    upkeep_interval_s: Seconds = 300.0  # between two runs of maintenance

    require_presets: bool = False  # the intake answers 503 until presets are read, from the store or the cache
    preset_refresh_s: Seconds = 10.0  # between two reads of the presets

    request_timeout_s: Seconds = 30.0  # longest that a request's header may take to arrive, and again its body
    queue_bound: Count = 1_000_000  # events in the queue; with more the intake answers 503
    max_in_flight: Count = 10_000  # events sent to the queue without a reply yet; with more: 503
    max_in_flight_bytes: Count = 67_108_864  # bytes of requests in progress; with more: 503
    max_event_bytes: Count = 262_144
    max_batch_bytes: Count = 4_194_304
    max_batch_events: Count = 10_000
    max_depth: Annotated[int, Meta(ge=1, le=200)] = 32  # of nested objects and arrays; Python allows 480

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings of this environment. Raises SettingsError, which names the variable."""
        fields = msgspec.structs.fields(cls)
        given = {field.name: environ[field.name.upper()] for field in fields if field.name.upper() in environ}
        lists = {field.name for field in fields if isinstance(field.default, tuple)} & given.keys()
        split = {name: given[name].split(",") if given[name] else [] for name in lists}
        try:
            settings = msgspec.convert(given | split, cls, strict=False)
        except msgspec.ValidationError as e:
            raise _wrong(str(e), given) from None
        settings.require()
        return settings

    def require(self, *fields: str) -> None:
        """Raise SettingsError unless each of these fields is set and all settings agree."""
        for field in fields:
            if not getattr(self, field):
                raise SettingsError(f"{field.upper()} is not set: this process needs it in its environment")
        for field, (parse, example) in _ADDRESSES.items():
            try:
                if given := getattr(self, field):
                    parse(given)
            except (ValueError, psycopg.Error):  # without the value: it may hold a password
                raise SettingsError(f"{field.upper()}: expected an address like {example}, got {UNSHOWN}") from None
        for smaller, larger in _ORDERED.items():
            least, most = getattr(self, smaller), getattr(self, larger)
            if least > most:
                expected = f"{larger.upper()}: expected at least {smaller.upper()} ({least:.12g})"
                raise SettingsError(f"{expected}, got {most:.12g}")
        lane = f"a lane may be idle for BATCH_LINGER_S ({self.batch_linger_s:.12g}) + {LANE_WAIT_S} s"
        self.require_lease(self.batch_linger_s + LANE_WAIT_S, lane)

    def require_lease(self, silent_s: float, why: str) -> None:
        """Raise SettingsError if the server would end a session that sends nothing for so long."""
        least = silent_s / SESSION_SHARE
        if least >= self.lease_s:
            said = f"LEASE_S: expected more than {least:.6g}, got {self.lease_s:.12g}: {why}, and the server ends"
            raise SettingsError(f"{said} its session after {SESSION_SHARE} of the lease")


def _webhook(url: str) -> None:
    import httpx  # takes 0.2 s, and few have a webhook

    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as e:
        raise ValueError("no address") from e
    if not address.host or (address.port or 1) > 65535:
        raise ValueError("no host, or no port")


#: How each address is parsed, and an example of one.
_ADDRESSES: dict[str, tuple[Callable[[str], object], str]] = {
    "database_url": (conninfo_to_dict, "postgresql://user@host:5432/database"),
    "redis_url": (streams.require_address, "redis://host:6379/0"),
    "alert_webhook_url": (_webhook, "https://host:8443/path"),
}
#: Each is at most the other.
_ORDERED = {
    "retry_base_s": "retry_cap_s",
    "batch_size": "queue_bound",
    "max_event_bytes": "max_batch_bytes",
    "max_batch_bytes": "max_in_flight_bytes",
    "dead_letter_archive_days": "dead_letter_retention_days",
}
#: `consumer.WAIT_S` and `connections.IDLE_SHARE`, which cannot be imported here.
LANE_WAIT_S, SESSION_SHARE = 0.5, 0.75
UNSHOWN = "a value that is not shown"


def _wrong(message: str, given: Mapping[str, str]) -> SettingsError:
    """Rewrite msgspec's "Expected … - at `$.field`" with the variable's name and its value."""
    expected, _, path = message.partition(" - at ")
    expected, field = expected.partition(", got ")[0], path.strip("`$.").partition("[")[0]
    value = UNSHOWN if field.endswith(("_url", "_token", "_key")) else repr(given.get(field, ""))
    return SettingsError(f"{field.upper()}: {expected[0].lower()}{expected[1:]}, got {value}")

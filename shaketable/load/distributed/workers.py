"""How many workers send a load, and where their master listens."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from shaketable.errors import InputError

#: Addresses that mean every interface; a worker on this machine connects to loopback then.
EVERY = ("*", "0.0.0.0", "::")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Workers:
    """The workers of one load; the master listens on loopback unless `host` says otherwise."""

    here: int  # started by the harness on this machine
    port: int = 0  # 0: the run chooses one
    host: str = "127.0.0.1"
    elsewhere: int = 0  # started by others

    @property
    def count(self) -> int:
        """All of them."""
        return self.here + self.elsewhere

    def options(self) -> list[str]:
        """The options of `shaketable run` that ask for them."""
        here = ["--load-workers", str(self.here)] if self.here else []
        if not self.elsewhere:
            return here
        remote = [] if is_loopback(self.host) else ["--allow-remote", self.host]
        return [*here, "--load-master", f"{self.host}:{self.port}", "--expect-workers", str(self.elsewhere), *remote]

    @classmethod
    def of(cls, here: int | None, address: str, elsewhere: int | None, allowed: Collection[str]) -> Workers | None:
        """What the options ask for; None for one process. Raises InputError."""
        if (not address) != (elsewhere is None):
            raise InputError("expected --load-master and --expect-workers together, got one: give both, or neither")
        if not address or elsewhere is None:
            return cls(here) if here and here > 1 else None
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise InputError(f"expected --load-master as HOST:PORT, got {address!r}: 127.0.0.1:5557 is usual")
        if not is_loopback(host) and host not in allowed:
            raise InputError(
                f"expected --load-master on loopback, got {host}: whoever reaches that port can read and change the "
                f"load; forward the port over SSH, or give --allow-remote {host}"
            )
        return cls(here or 0, int(port), host, elsewhere)

    def master(self) -> list[str]:
        """Locust's options of the master."""
        bound = ["--master-bind-host", self.host, "--master-bind-port", str(self.port)]
        return ["--master", *bound, "--expect-workers", str(self.count)]

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Name and Locust's options of each process to start on this machine, the master first."""
        yield "locust", self.master()
        host = "127.0.0.1" if self.host in EVERY else self.host
        for number in range(self.here):
            yield f"locust-{number + 1}", ["--worker", "--master-host", host, "--master-port", str(self.port)]

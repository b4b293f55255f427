"""The target: the processor under test, as processes that the harness starts, observes, breaks and stops."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.errors import TargetError
from shaketable.op import Kind, Op, Scalar
from shaketable.stack.process import Child, Running, environment
from shaketable.stack.service import OUTBOUND
from shaketable.stack.stack import Link, Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.wall_clock.clocks import WallClocks
from shaketable.target import clients, roles, services
from shaketable.target.bounded_http import NoResponse, get
from shaketable.target.instance import Instance
from shaketable.target.located import located
from shaketable.target.manifest import Manifest, Process
from shaketable.target.receiver import Receiver
from shaketable.target.settings import judged_by, translate
from shaketable.target.span_receiver import SpanReceiver

#: Timeout of `setup` in seconds.
SETUP_S = 60.0
#: Timeout of a health request at start in seconds.
ANSWER_S = 2.0


class Target:
    """The processor under test on a stack. `record` receives every start and exit as an op.

    `programs` are the values of the placeholders in its commands. With `clocks`, each process runs by a wall clock that
    a fault can move. `intake` is the clients' link.
    """

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        stack: Stack,
        supervisor: Supervisor,
        *,
        run_id: str,
        state: Path,
        logs: Path,
        settings: Mapping[str, float | str],
        record: Callable[[Op], None],
        clock: Clock | None = None,
        programs: Mapping[str, str] | None = None,
        clocks: WallClocks | None = None,
    ) -> None:
        self.manifest, self._stack, self._supervisor, self._logs = manifest, stack, supervisor, logs
        self._clocks = clocks
        self._folder, self._cwd = folder.resolve(), (folder / manifest.cwd).resolve()
        self._state, self._run_id, self._record = state, run_id, record
        self._clock, self._programs = clock or SystemClock(), programs or {"{python}": sys.executable}
        self._settings = translate(settings, manifest)
        self.timing = judged_by(manifest, settings)
        self._receiver = _receiver(manifest, stack)
        self.spans = SpanReceiver(stack.take_port()).__enter__() if manifest.traces else None
        self.instances = {name: self._place(name, kind) for name, kind in manifest.instances()}
        intake = self.intake_instance
        self.intake = clients.link(stack, manifest, intake.port if intake else None)

    def _place(self, name: str, kind: Process) -> Instance:
        state = self._state / name
        state.mkdir(parents=True)
        links = {service: self._link(name, service) for service in self._stack.services}
        clock = self._clocks.of(name) if self._clocks else None
        return Instance(name, kind, self._stack.take_port(), links, state, clock)

    def _link(self, name: str, service: str) -> Link:
        upstream = self._receiver.address if self._receiver and service == OUTBOUND else None
        return self._stack.add_link(name, service, upstream)

    @property
    def intake_instance(self) -> Instance | None:
        """The process behind the intake's link; None for a sender that sends to a service."""
        return next((i for i in self.instances.values() if i.kind.name == self.manifest.ingest.process), None)

    @property
    def sender(self) -> str:
        """The place of the manifest's sender, as FILE:CLASS; "" for an intake over HTTP."""
        return str(self._folder / self.manifest.ingest.sender) if self.manifest.ingest.sender else ""

    def sender_variables(self) -> dict[str, str]:
        """A sender's own variables, and those that lead it to where it sends."""
        return clients.variables(self._stack, self.manifest, self.intake)

    @property
    def intake_health_url(self) -> str | None:
        """The URL at which the target reports its health: the intake's, or that of `health_process`."""
        if (kind := self.manifest.health_process) is None:
            return self.intake_instance.health_url if self.intake_instance else None
        return next(each.health_url for each in self.instances.values() if each.kind.name == kind)

    def located(self) -> Manifest:
        """The manifest as readers need it: paths as URLs without a link, commands complete, the working directory."""
        received = self._receiver.url if self._receiver else None
        return located(self.manifest, str(self._cwd), received, self._port, self._command)

    def _port(self, process: str | None) -> int:
        """The port of the first instance of a kind of process, by default of the intake."""
        kind = process or self.manifest.ingest.process
        return next(each.port for each in self.instances.values() if each.kind.name == kind)

    def setup(self) -> None:
        """Run the manifest's `setup` with direct addresses, as the database's owner.

        A warm stack restores the state that the same setup left there earlier.
        """
        if not self.manifest.setup:
            return
        command = self._command(self.manifest.setup)
        key = repr((command, self._cwd, self._settings))
        if self._stack.restore_setup(key):
            return
        log = self._logs / "setup.log"
        env = self._environment(
            **services.direct(self._stack, self.manifest),
            STATE_DIR=str(self._state),
            PROCESS="setup",
            INCARNATION="1",
        )
        child = self._stack.launch("setup", command, env, self._cwd, log)
        if (code := child.wait(SETUP_S)) != 0:
            child.kill()
            ended = f"ended with exit code {code}" if code is not None else f"did not end within {SETUP_S:.0f} s"
            raise TargetError(f"the target's setup {ended}: {child.tail(3)}")
        if not any(path.is_file() for path in self._state.rglob("*")):
            self._stack.save_setup(key)

    def start(self, name: str) -> None:
        """Start the next incarnation of a process, without waiting until it is ready."""
        instance = self.instances[name]
        instance.incarnation += 1
        instance.starts.append(self._clock.now())
        title = f"{name}.{instance.incarnation}"
        env = self._environment(
            **services.through(self._stack, self.manifest, instance.links, title),
            **services.ports(instance.kind, {each.name: each.port for each in self.instances.values()}),
            HTTP_PORT=str(instance.port),
            PROCESS=name,
            INCARNATION=str(instance.incarnation),
            STATE_DIR=str(instance.state),
            **self._traced(name),
        )
        if instance.clock:
            env |= preloaded(instance.clock.environment, env)
        child = self._stack.launch(
            name, self._command(instance.kind.command), env, self._cwd, self._logs / f"{name}.log"
        )
        instance.child, instance.asked = child, False  # last: `revive` reads them in another thread
        self._record(self._op(Kind.START_PROCESS, instance))

    def _traced(self, name: str) -> dict[str, str]:
        """The variables that lead a process's spans to the harness, under its name."""
        traces = self.manifest.traces
        return {traces.env: self.spans.url, "OTEL_SERVICE_NAME": name} if traces and self.spans else {}

    def await_ready(self, name: str) -> None:
        """Wait until a process answers on its health path. Raises TargetError when it exits or takes too long."""
        instance = self.instances[name]
        child, within_s = instance.child, instance.kind.ready_s
        assert child is not None, "start it first"
        deadline = self._clock.now() + int(within_s * SECOND)
        while not _answers(instance):
            if (code := child.poll()) is not None:
                raise TargetError(f"{name} died at start with exit code {code}: {child.tail(3) or 'no output'}")
            if self._clock.now() > deadline:
                raise TargetError(
                    f"{name} was not ready within {within_s:g} s (ready_s): {child.tail(3) or 'no output'}"
                )
            self._clock.sleep(0.05)

    def becomes_ready(self, name: str) -> bool:
        """Wait at most ready_s until the current incarnation answers; returns whether it does."""
        instance = self.instances[name]
        deadline = self._clock.now() + int(instance.kind.ready_s * SECOND)
        while not (ready := _runs(instance) and _answers(instance)) and self._clock.now() < deadline:
            self._clock.sleep(0.05)
        return ready

    def run_helper(self, name: str, command: Sequence[str]) -> Child:
        """Start a helper process of the harness, supervised like the target's processes."""
        log = self._logs / f"{name}.log"
        return self._supervisor.spawn(name, command, env=self._environment(), cwd=self._state, log=log)

    def kill(self, name: str) -> None:
        """SIGKILL one process and its descendants."""
        self._end(self.instances[name], lambda child: child.kill())

    def stop(self, name: str) -> None:
        """SIGTERM one process; SIGKILL after its grace."""
        instance = self.instances[name]
        self._end(instance, lambda child: child.terminate(instance.kind.stop_s))

    def stop_all(self) -> None:
        """Stop every process, workers first, so that the intake reports correctly until its end."""
        for name in reversed(self.instances):
            if self.instances[name].child is not None:
                self.stop(name)

    def close(self) -> None:
        """Stop every process, and end the receivers."""
        try:
            self.stop_all()
        finally:
            for receiver in (self._receiver, self.spans):
                if receiver is not None:
                    receiver.close()

    def revive(self) -> list[str]:
        """Record processes that exited unexpectedly, and restart each once; returns their names."""
        died = [i for i in self.instances.values() if i.child and not i.asked and i.child.poll() is not None]
        for instance in died:
            self._record(self._op(Kind.EXIT, instance))
            if instance.restarted_unasked:
                instance.child = None
            else:
                instance.restarted_unasked = True
                self.start(instance.name)
        return [instance.name for instance in died]

    def named(self, name: str) -> list[Instance]:
        """The instances for a process, kind or role (`roles`). Raises ScenarioError without a match."""
        found = roles.resolve(self.manifest.process, self.manifest.ingest.process, name)
        return [self.instances[each] for each in found]

    def _end(self, instance: Instance, how: Callable[[Running], object]) -> None:
        if instance.child is None or instance.asked:
            return
        instance.asked = True
        how(instance.child)
        self._record(self._op(Kind.EXIT, instance))

    def _op(self, kind: Kind, instance: Instance) -> Op:
        code = instance.child.poll() if instance.child else None
        detail: dict[str, Scalar] = {"incarnation": instance.incarnation, "asked": instance.asked, "code": code}
        return Op(instance.name, kind, self._clock.now(), detail=detail)

    def _command(self, command: tuple[str, ...]) -> list[str]:
        return [filled(part, self._programs) for part in command]

    def _environment(self, /, **own: str) -> dict[str, str]:
        return environment(self._state, SHAKETABLE_RUN=self._run_id, **self._settings, **own)


def _receiver(manifest: Manifest, stack: Stack) -> Receiver | None:
    """The receiver of the target's deliveries, started; None without [outbound]."""
    if (outbound := manifest.outbound) is None:
        return None
    id_ = manifest.event.place if manifest.event else "/eventId"
    return Receiver(stack.take_port(), outbound.path, outbound.event, id_).__enter__()


def preloaded(first: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Variables that load a library, before those that the target loads."""
    libraries = [each["LD_PRELOAD"] for each in (first, env) if each.get("LD_PRELOAD")]
    return {**first, "LD_PRELOAD": " ".join(libraries)}


def filled(part: str, programs: Mapping[str, str]) -> str:
    """Replace the placeholders in one word of a command."""
    for placeholder, program in programs.items():
        part = part.replace(placeholder, program)
    return part


def _runs(instance: Instance) -> bool:
    return instance.child is not None and instance.child.poll() is None


def _answers(instance: Instance) -> bool:
    """Any response counts: a target may report honestly that it is unhealthy."""
    if instance.health_url is None:
        return True
    try:
        get(instance.health_url, ANSWER_S)
        return True
    except NoResponse:
        return False

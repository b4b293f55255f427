"""Memory of the target's processes, each with its descendants."""

from __future__ import annotations

from collections.abc import Iterable

import psutil

from shaketable.op import Scalar
from shaketable.stack import mark as marks
from shaketable.stack.process import Child
from shaketable.target.instance import Instance


def resident(instances: Iterable[Instance]) -> dict[str, Scalar]:
    """Resident bytes, as `memory_NAME`, of each instance that was started.

    One look at the marks of all processes finds the descendants of all instances, in a tenth of the time that a look at
    their parents takes; a container has no mark.
    """
    children = {instance.name: instance.child for instance in instances if instance.child}
    names = {child.mark: name for name, child in children.items() if isinstance(child, Child) and child.mark}
    found: dict[str, list[int]] = {name: [] for name in children}
    for pid, mark in marks.every() if names else ():
        if mark in names:
            found[names[mark]].append(pid)
    pids = {name: found[name] or [process.pid for process in child.tree()] for name, child in children.items()}
    return {f"memory_{name}": sum(map(_resident, each)) for name, each in pids.items()}


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0

"""How a wrapper keeps the memory of the policy inside beside its own: under names that begin with "inner."."""

from reverie.core import Memory

_PREFIX = "inner."


def pack(own: Memory, inner: Memory | None) -> Memory:
    return {**own, **{_PREFIX + k: v for k, v in (inner or {}).items()}}


def unpack(memory: Memory | None) -> Memory | None:
    """The inner policy's part; None where it keeps nothing."""
    return {k.removeprefix(_PREFIX): v for k, v in (memory or {}).items() if k.startswith(_PREFIX)} or None

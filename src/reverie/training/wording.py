"""What a person is told about a training: what it will take, how far it is, what was measured."""

from collections.abc import Mapping
from typing import Any

from reverie.training.config import TrainerConfig
from reverie.training.rehearsal import Estimate, resident_gb
from reverie.training.state import Progress


def expected(config: TrainerConfig, estimate: Estimate, n_weights: int, processes: int) -> str:
    """Before the first step."""
    times = ", ".join(f"{k} {config.batch_size / s:.0f} samples/s" for k, s in estimate.step_seconds.items())
    memory = f"{estimate.memory_gb:.2f} GB of memory" + (f" in each of {processes} processes" if processes > 1 else "")
    return (
        f"{n_weights:,} weights train, {config.samples:,} samples in {estimate.precision} ({times}): about "
        f"{duration(estimate.seconds_left(config.n_steps))} beside what is measured on the way, {memory}, "
        f"{estimate.disk_gb:.2f} GB on disk"
    )


def resuming(config: TrainerConfig, before: Progress, threads: int, processes: int, where: Any) -> list[str]:
    """Before the first step of a training that was begun earlier."""
    told = [f"resuming at {before.step * config.batch_size:,} of {config.samples:,} samples in {where}"]
    if before.threads != threads:
        told.append(f"note: {threads} threads now, {before.threads} before: the last bits may differ")
    if before.processes != processes:
        told.append(f"note: {processes} processes now, {before.processes} before: what losses draw will differ")
    return told


def pace(config: TrainerConfig, progress: Progress) -> str:
    """Time taken and left, speed, and the memory of this process now."""
    samples, taken = progress.step * config.batch_size, progress.seconds
    left = taken / progress.step * (config.n_steps - progress.step)
    speed = samples / max(taken, 1e-9)
    return f"{duration(taken)} taken, {duration(left)} left, {speed:.0f} samples/s, {resident_gb():.2f} GB"


def spoken(metrics: Mapping[str, float]) -> str:
    """One line per set of validation rows."""
    sets: dict[str, list[str]] = {}
    for name, value in metrics.items():
        kind, _, what = name.rpartition("/")
        sets.setdefault(kind, []).append(f"{what} {value:.3g}")
    return "".join(f"\n    {kind or 'all'}: {', '.join(parts)}" for kind, parts in sets.items())


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def said(success: Mapping[str, Any]) -> str:
    errors = (
        f", {success['errors']} crashed ({success.get('crash', 'in another process')})" if success["errors"] else ""
    )
    if "rate" not in success:
        return f"success in physics: no trial could be counted{errors}"
    return (
        f"success in physics, {success['task']}: {success['successes']}/{success['n']} = {success['rate']:.0%} "
        f"[{success['low']:.0%}, {success['high']:.0%}]{errors}"
    )

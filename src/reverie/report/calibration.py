"""Absolute success from few real trials: as text for a terminal, and as lines of the page's table."""

from collections.abc import Mapping
from dataclasses import dataclass

from reverie.core.estimate import Estimate
from reverie.evaluation.calibrate import Calibrated, Calibration
from reverie.evaluation.next_trials import Next
from reverie.report.formats import number, percent, points, view_words
from reverie.stats import MIN_PAIRS, HeldOut, MapKind


@dataclass(frozen=True)
class Line:
    """One policy. `absolute`: from both, or from its real trials alone where no dream stands beside one. `certain`: limits that
    hold at so few, "" where `absolute` has them. `more`: real trials still missing for the target."""

    policy: str
    absolute: Estimate
    certain: str
    real: Estimate
    dreamt: Estimate
    worth: str
    more: str
    following: str
    scenes: tuple[str, ...]


def lines(found: Calibration) -> list[Line]:
    return [_line(c, found.following) for c in found.policies]


def _line(c: Calibrated, following: Next) -> Line:
    powered, few = c.powered, 0 < c.powered.estimate.n < MIN_PAIRS
    now, after = following.half_width[c.policy]
    scenes = following.scenes[c.policy]
    dreams, alone = (_missing(n, powered.estimate.n) for n in following.needed[c.policy])
    return Line(
        c.policy,
        powered.estimate if powered.estimate.value is not None else c.real,
        _limits(powered.guaranteed) if few else "",
        c.real,
        c.dreamt,
        "" if powered.effective_n is None else f"{powered.effective_n:.0f} real trials",
        f"{dreams} (without dreams {alone})",
        f"{len(scenes)}, ±{100 * now:.0f} to about ±{100 * after:.0f}" if scenes else "none",
        scenes,
    )


def _missing(needed: int | None, there: int) -> str:
    return "above 100,000" if needed is None else str(max(0, needed - there))


def text(found: Calibration) -> str:
    said = [f"Real success, from real trials and {found.n_scenes} dreamt scenes ({view_words(found.view)}):", ""]
    said += [f"  {c.policy}: {_policy(c)}" for c in found.policies]
    said += [f"  all policies: {pooled(found)}", ""]
    said += [*maps("policy", found.by_policy), *maps("task", found.by_task), "", *_following(found), ""]
    return "\n".join([*said, "What this does not support:", *(f"  - {line}" for line in limits(found))])


def _policy(c: Calibrated) -> str:
    powered = c.powered
    dreamt = f"dreamt {percent(c.dreamt)} of {c.dreamt.n}"
    if powered.estimate.value is None:
        alone = f"{percent(c.real)} of {c.real.n} real trials alone" if c.real.n else "not measured: no real trials"
        return f"{alone}; {dreamt}; no real trial in a dreamt scene, so that dreams add nothing"
    said = f"{percent(powered.estimate)} from {powered.estimate.n} real scenes"
    if powered.effective_n is not None:
        said += (
            f", worth {powered.effective_n:.0f} (correlation {powered.correlation:.2f}, weight {powered.weight:.2f})"
        )
    if powered.estimate.n < MIN_PAIRS:
        said += f"; certain at so few: [{_limits(powered.guaranteed)}]"
    left = f"; {c.unpaired} real trials without a dreamt scene left out" if c.unpaired else ""
    return f"{said}; real trials alone {percent(powered.classical)}; {dreamt}{left}"


def pooled(found: Calibration) -> str:
    certain = found.pooled_guaranteed
    if found.pooled.n >= MIN_PAIRS or certain.value is None:
        return f"{percent(found.pooled)} ({found.pooled.reason or found.pooled.method})"
    return f"{percent(found.pooled)}; certain at so few: [{_limits(certain)}] ({found.pooled.method})"


def _limits(estimate: Estimate) -> str:
    return percent(estimate).partition("[")[2].rstrip("]")


def maps(group: str, maps: Mapping[MapKind, HeldOut]) -> list[str]:
    """Errors of dreamt rates as they are, and after a map that never saw that policy (task)."""
    found = []
    for kind, held in maps.items():
        if held.error_after.value is None:
            found.append(f"{kind} map held out by {group}: not measured ({held.error_after.reason})")
        else:
            found.append(f"{kind} map held out by {group}: absolute error {points(held.error_before)} before, {points(held.error_after)} after (n = {held.error_after.n})")  # fmt: skip
    return found


def _following(found: Calibration) -> list[str]:
    lines = ["The next real trials, a balanced random draw of scenes:"]
    for policy, scenes in found.following.scenes.items():
        now, after = found.following.half_width[policy]
        if scenes:
            more = f" and {len(scenes) - 8} more" if len(scenes) > 8 else ""
            lines.append(f"  {policy}: {len(scenes)}, ±{100 * now:.0f} becomes about ±{100 * after:.0f} points: {', '.join(scenes[:8])}{more}")  # fmt: skip
    if len(lines) == 1:
        lines = ["Every dreamt scene has a real trial: dream more scenes before trying more."]
    target = f"±{100 * found.following.target:.0f} points"
    needed = (
        f"{p} {_count(dreams)} ({_count(alone)} without dreams)"
        for p, (dreams, alone) in found.following.needed.items()
    )
    return [*lines, f"Real scenes in all for {target}, if more are dreamt: {', '.join(needed)}."]


def _count(n: int | None) -> str:
    return "above 100,000" if n is None else str(n)


def limits(found: Calibration) -> list[str]:
    """What the numbers rest on."""
    lines = [
        "Anything, if real scenes were not a random draw of the dreamt ones: a choice by hand biases every number above."
    ]
    few = [c.policy for c in found.policies if 0 < c.powered.estimate.n < MIN_PAIRS]
    if few:
        lines.append(f"The first interval of {', '.join(few)} to the letter: below {MIN_PAIRS} real scenes it is approximate; the certain one stands beside it.")  # fmt: skip
    unknown = [c.policy for c in found.policies if c.real.n == 0]
    if unknown:
        lines.append(f"Absolute success of {', '.join(unknown)}: no real trials.")
    useless = [c.policy for c in found.policies if c.powered.weight == 0 and c.powered.n_unlabelled]
    if useless:
        lines.append(f"That dreams help for {', '.join(useless)}: they do not go with the real outcomes there.")
    if all(c.powered.n_unlabelled == 0 for c in found.policies if c.powered.estimate.n):
        lines.append("That dreams help at all: every dreamt scene has a real trial, so that real trials alone count.")
    after = found.by_policy["affine"].error_after
    if after.value is not None:
        lines.append(
            f"Better than {number(after)} of absolute error for a policy without real trials, by the affine map."
        )
    return lines

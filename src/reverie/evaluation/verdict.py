"""The verdict in words: who beats whom by how much, and who cannot be told apart. Pure: standings in, clauses out."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from reverie.evaluation.matches import TELLING, Match
from reverie.evaluation.standings import Standings
from reverie.stats.formats import percent, points

MAX_CLAUSES = 8
LETTER = re.compile(r"[a-z]|\(\d+\)")


def verdict(found: Standings) -> list[str]:
    """Clauses such as "act beats rt1 by 12 points [4, 20]", the best policy's first, at most MAX_CLAUSES of them.

    Every policy beats the next one in the ranking from which it is separated, unless the one ranked behind it does so too;
    every group of policies that share a letter cannot be told apart.
    """
    measured = [s.policy for s in found.policies if s.success.value is not None]
    silent = [s.policy for s in found.policies if s.success.value is None]
    said = [clause for name in measured for clause in _about(name, measured, found)]
    if len(measured) == 1:
        only = next(s for s in found.policies if s.policy == measured[0])
        shown = only.success if only.best_known.value is None else only.best_known
        said = [f"{only.policy} succeeds in {percent(shown)} of {only.success.n} trials"]
    if len(said) > MAX_CLAUSES:
        said = [*said[:MAX_CLAUSES], f"{len(said) - MAX_CLAUSES} more in the table"]
    return said + ([f"success of {_listed(silent)} was not measured"] if silent else [])


def beats(match: Match) -> str:
    """Of a separated match; the difference may point against the ranking, which counts other scenes too."""
    d = match.best_known
    if d.value is not None and d.value < 0 and d.low is not None and d.high is not None:
        return f"{match.second} beats {match.first} by {points(replace(d, value=-d.value, low=-d.high, high=-d.low))}"
    return f"{match.first} beats {match.second} by {points(d)}"


def _about(name: str, ranked: Sequence[str], found: Standings) -> list[str]:
    """The groups that this policy leads, then whom it beats."""
    below = ranked[ranked.index(name) + 1 :]
    beaten = _first_beaten(name, below, found)
    said = [_alike(group, found) for group in _led(name, ranked, found)]
    if beaten is not None and beaten != (_first_beaten(below[0], below[1:], found) if below else None):
        said.append(beats(_between(name, beaten, found)))
    return said


def _first_beaten(name: str, below: Sequence[str], found: Standings) -> str | None:
    return next((other for other in below if _between(name, other, found).separated), None)


def _between(first: str, second: str, found: Standings) -> Match:
    return next(m for m in found.matches if {m.first, m.second} == {first, second})


def _led(name: str, ranked: Sequence[str], found: Standings) -> list[list[str]]:
    """The policies of every letter that begins with this policy, where it is not alone."""
    letters = {s.policy: LETTER.findall(s.letters) for s in found.policies}
    groups = [[p for p in ranked if letter in letters[p]] for letter in letters[name]]
    return [g for g in groups if g[0] == name and len(g) > 1]


def _alike(group: Sequence[str], found: Standings) -> str:
    between = [_between(a, b, found) for a, b in combinations(group, 2)]
    said = f"{_listed(group)} cannot be told apart"
    short = [m for m in between if m.needed is not None and m.needed > _size(m)]
    if not short:
        return said
    least = max(short, key=lambda m: m.needed or 0)
    unit = "pairs" if least.paired else "trials each"
    return f"{said} ({_size(least)} {unit}; about {least.needed} would show a difference of {100 * TELLING:.0f} points)"


def _size(match: Match) -> int:
    """In the unit of `needed`."""
    return match.difference.n if match.paired else match.difference.n // 2


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

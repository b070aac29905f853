"""Until decided: an engine that stops when it is known which of two policies is better, and not before.

It wraps another engine and hands it blocks in an order in which both policies get on alike. Looking after every block costs
nothing: the test and the interval are peeking-safe. Only the beginning of the plan that both policies have finished counts,
so that neither processes nor kills have a say in the decision. The journal is that of any run: the same command goes on from it,
and without the question the rest of the plan is computed. Of a judge that knows its errors, the difference is corrected for them.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from reverie.core import Outcome, ReverieError, Trial, outcome_of, unknown_name
from reverie.core.estimate import Estimate
from reverie.evaluation.blocks import Block
from reverie.evaluation.cells import Cell
from reverie.evaluation.engine import Engine
from reverie.evaluation.entrants import planned_cells
from reverie.evaluation.judge_errors import Erring, erring, told_errors
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.plan import Plan
from reverie.evaluation.rates import SCORED
from reverie.evaluation.worker import BlockResult
from reverie.stats import (
    PairedTable,
    PValue,
    corrected_difference_sequence,
    paired_difference_sequence,
    paired_table,
    sequential_paired,
)
from reverie.stats.formats import points

ALPHA = 0.05


@dataclass(frozen=True)
class Question:
    """Which of two policies is better in a view? `within`: it is also decided where their difference is less than this."""

    first: str
    second: str
    view: View
    within: float | None = None

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise ReverieError(f"the question names {self.first} twice: expected two policies")
        if self.within is not None and not 0 < self.within < 1:
            raise ReverieError(f"within is {self.within}: expected a share of trials in (0, 1), such as 0.05")


def question_of(plan: Plan, policies: tuple[str, str], within: float | None = None) -> Question:
    """In the truth's eyes, or the first judge's in the first world. Raises ReverieError for names that are not planned."""
    known = [p.name for p in (*plan.policies, *plan.scripts)]
    for name in policies:
        if name not in known:
            raise unknown_name("policy", name, known)
    world, judge = (plan.truth.world, plan.truth.judge) if plan.truth else (plan.worlds[0].name, plan.judges[0].name)
    return Question(*policies, View(world, judge), within)


@dataclass(frozen=True)
class Decision:
    """`better` None: the difference is less than `within`. `n` counts pairs looked at, with and without both outcomes."""

    better: str | None
    p: PValue
    difference: Estimate
    n: int


def decided(
    question: Question, first: Sequence[Outcome], second: Sequence[Outcome], errors: Erring | None = None
) -> Decision | None:
    """From outcomes of the same cells in the plan's order; None where it is open. Errors of either kind of answer: 5 %.

    Better: the two-sided e-value test ever had p <= 0.05. Alike: the 95 % confidence sequence lies within the margin. A judge
    that may be guessing decides nothing.
    """
    both = [(a, b) for a, b in zip(first, second, strict=True) if a in SCORED and b in SCORED]
    one, two = ([pair[side] is Outcome.SUCCESS for pair in both] for side in (0, 1))
    p, difference = sequential_paired(one, two), _difference(paired_table(one, two), errors)
    if p.value is not None and p.value <= ALPHA and difference.value:
        return Decision(question.first if difference.value > 0 else question.second, p, difference, len(first))
    if question.within is not None and _reach(difference) < question.within:
        return Decision(None, p, difference, len(first))
    return None


def _difference(table: PairedTable, errors: Erring | None) -> Estimate:
    if errors is None:
        return paired_difference_sequence(table)
    seen = paired_difference_sequence(table, 1 - ALPHA / 2)
    return corrected_difference_sequence(seen, **errors.counts.to_dict(), level=1 - ALPHA)


def _reach(difference: Estimate) -> float:
    return 1.0 if difference.low is None or difference.high is None else max(-difference.low, difference.high)


@dataclass
class UntilDecided:
    """The engine. After the run, `decision` says what was found, or None where all blocks were computed."""

    question: Question
    inner: Engine
    decision: Decision | None = None
    seconds: list[float] = field(default_factory=list)
    _cells: dict[str, dict[Cell, Outcome]] | None = None
    _errors: Erring | None = None

    def __call__(self, plan: Plan, folder: Path, blocks: Iterable[Block]) -> Iterator[BlockResult]:
        """Blocks of the question first, until it is decided; then none."""
        if self._cells is None:
            self._cells, self._errors = _seen(folder, self.question)
        self.decision = self.decision or self._look(plan)
        if self.decision is not None:
            return
        with closing(_each(self.inner(plan, folder, arranged(blocks, self.question)))) as results:
            for result in results:
                yield result
                if self._add(plan, result) and (decision := self._look(plan)):
                    self.decision = decision
                    return

    def words(self, n_planned: int, n_trials: int) -> str:
        """What was decided, and what that saved."""
        if self.decision is None:
            return "Not decided: every planned trial ran."
        q, d, left = self.question, self.decision, n_planned - n_trials
        found = f"{q.first} and {q.second} are alike" if d.better is None else f"{d.better} is better"
        spared = left * sum(self.seconds) / len(self.seconds) / 60 if self.seconds else None
        time = "" if spared is None else f", about {spared:.1f} min of one process"
        return (
            f"Decided after {d.n} pairs: {found} ({q.first} - {q.second}: {points(d.difference)}, peeking-safe). "
            f"Saved {left} of {n_planned} trials{time}; the same command without --until-decided computes them."
        )

    def _look(self, plan: Plan) -> Decision | None:
        one, two = ((self._cells or {}).get(name, {}) for name in (self.question.first, self.question.second))
        ready = []
        for cell in planned_cells(plan):
            if cell not in one or cell not in two:
                break
            ready.append(cell)
        return decided(self.question, [one[c] for c in ready], [two[c] for c in ready], self._errors)

    def _add(self, plan: Plan, result: BlockResult) -> bool:
        """Whether there was anything new about the question."""
        for judge, counts in told_errors(result.receipts).items():
            if judge[0] == self.question.view.judge:
                self._errors = erring({judge: counts}, judge, self.question.view.world, plan)
        verdicts = {v.key: v.verdict for v in result.verdicts if v.verdict.judge == self.question.view.judge}
        self.seconds += [t.seconds for t in result.trials if t.seconds is not None]
        asked = [t for t in result.trials if _asked(self.question, t)]
        for t in asked:
            cell = (t.key.scene, t.key.edit, t.key.replicate)
            (self._cells or {}).setdefault(t.key.policy, {})[cell] = outcome_of(t, verdicts.get(t.key))
        return bool(asked)


def _each(results: Iterator[BlockResult]) -> Generator[BlockResult, None, None]:
    """Closed, it closes what it reads from: workers end then."""
    yield from results


def _asked(question: Question, trial: Trial) -> bool:
    return trial.key.world == question.view.world and trial.key.policy in (question.first, question.second)


def _seen(folder: Path, question: Question) -> tuple[dict[str, dict[Cell, Outcome]], Erring | None]:
    """Outcomes in the journal already, and what it tells of their judge's errors."""
    table = read_outcomes(folder)
    rows: Mapping[str, Mapping[Cell, Outcome]] = table.outcomes.get(question.view, {})
    return {name: dict(rows.get(name, {})) for name in (question.first, question.second)}, table.errors.get(
        question.view
    )


def arranged(blocks: Iterable[Block], question: Question) -> list[Block]:
    """The question's blocks first: the n-th of both policies together, in turns which goes first, as that loads each half
    as often. The others follow in their order."""
    names, every = (question.first, question.second), list(blocks)

    def asked(block: Block) -> bool:
        return block.keys[0].world == question.view.world and block.policy.name in names

    def turn(block: Block) -> tuple[int, bool]:
        number = int(block.id.rpartition("/")[2])
        return number, (block.policy.name == question.second) != (number % 2 == 1)

    return sorted(filter(asked, every), key=turn) + [b for b in every if not asked(b)]

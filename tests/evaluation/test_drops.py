"""Drops per axis against numbers counted by hand; what was refused is absent; the nominal numbers know no edit."""

import json
from dataclasses import replace

import numpy as np
import pytest
from runs import DREAM, FRAMES, RECORDED, TRUE, reach, request, run

from reverie.core import Edit, Outcome
from reverie.core.fakes import fake_scenes
from reverie.evaluation import evaluate, make_plan
from reverie.evaluation.cells import Column, Grid
from reverie.evaluation.drops import EVERY_LEVEL, axes_of, costs, drops, edited_arms
from reverie.evaluation.outcomes import OUTCOMES, Outcomes, View, read_outcomes
from reverie.evaluation.plan import Entry, Plan, Truth
from reverie.evaluation.summary import summarise, write_summary
from reverie.report import write_report
from reverie.stats import exact_mcnemar, paired_difference, paired_table
from reverie.trials import TRIALS

PHYSICS, VIDEO = View("physics", "true"), View("video", "true")
EDITS = {
    ("light", "dim"): Edit("light", 0.5, {"level": "dim"}),
    ("light", "dark"): Edit("light", 1.0, {"level": "dark"}),
    ("mass", "heavy"): Edit("mass", 0.5, {"level": "heavy"}),
    ("novel_object", "both"): Edit("novel_object", 1.0, {"level": "both"}),
}
N = 40
BASE = fake_scenes(N)
ENTRY = {name: Entry(name, name, name) for name in ("strong", "weak", "physics", "video", "true")}
PLAN = Plan(
    (ENTRY["strong"], ENTRY["weak"]),
    (ENTRY["physics"], ENTRY["video"]),
    (ENTRY["true"],),
    (*BASE, *(replace(s, edits=(edit,)) for edit in EDITS.values() for s in BASE)),
    10,
    truth=Truth("physics", "true"),
)


def table(rates, refused=()) -> Outcomes:
    """rates[view][policy][axis, level or None] -> share of success; the first so many scenes succeed."""
    grid = Grid.of(PLAN)
    outcomes = {}
    for view, policies in rates.items():
        for policy, arms in policies.items():
            codes = []
            for arm in (None, *EDITS):
                if (view, arm) in refused:
                    codes += [OUTCOMES.index(Outcome.REFUSED) + 1] * N
                else:
                    good = round(arms[arm] * N)
                    codes += [OUTCOMES.index(o) + 1 for o in [Outcome.SUCCESS] * good + [Outcome.FAILURE] * (N - good)]
            outcomes.setdefault(view, {})[policy] = Column(grid, np.array(codes, np.uint8), OUTCOMES)
    return Outcomes(PLAN, outcomes, {}, 0, {})


def arms(clean, dim, dark, heavy, novel):
    return dict(zip((None, *EDITS), (clean, dim, dark, heavy, novel), strict=True))


RATES = {
    PHYSICS: {"strong": arms(0.9, 0.8, 0.6, 0.85, 0.2), "weak": arms(0.5, 0.5, 0.2, 0.5, 0.1)},
    VIDEO: {"strong": arms(0.7, 0.65, 0.5, 0.0, 0.1), "weak": arms(0.4, 0.35, 0.3, 0.0, 0.0)},
}
BLIND = {(VIDEO, ("mass", "heavy"))}
TABLE = table(RATES, BLIND)


def drop(view, policy, axis, level):
    (found,) = [d for d in drops(TABLE, edited_arms(PLAN)) if (d.view, d.policy, d.axis, d.level) == (view, policy, axis, level)]  # fmt: skip
    return found


def test_arms_are_levels_and_then_the_whole_axis():
    found = [(a.axis, a.level, a.severity, len(a.edits)) for a in edited_arms(PLAN)]
    assert found == [
        ("light", "dim", 0.5, 1),
        ("light", "dark", 1.0, 1),
        ("light", EVERY_LEVEL, None, 2),
        ("mass", "heavy", 0.5, 1),
        ("mass", EVERY_LEVEL, None, 1),
        ("novel_object", "both", 1.0, 1),
        ("novel_object", EVERY_LEVEL, None, 1),
    ]


def test_a_scene_with_two_edits_and_one_without_a_clean_one_are_in_no_arm():
    twice = replace(BASE[0], edits=tuple(EDITS.values())[:2])
    alone = replace(fake_scenes(N + 1)[N], edits=(EDITS["light", "dim"],))
    assert edited_arms(replace(PLAN, scenes=(*BASE, twice, alone))) == []
    assert axes_of(replace(TABLE, plan=replace(PLAN, scenes=BASE))) is None


def test_a_level_is_paired_with_the_same_scenes_unedited():
    found = drop(PHYSICS, "strong", "light", "dark")
    by_hand = paired_table([1] * 36 + [0] * 4, [1] * 24 + [0] * 16)
    assert found.drop == paired_difference(by_hand)
    assert found.p == exact_mcnemar(by_hand)
    assert (found.clean.value, found.edited.value, found.drop.value, found.drop.n) == (0.9, 0.6, pytest.approx(0.3), N)


def test_a_whole_axis_counts_scenes_not_levels():
    found = drop(PHYSICS, "strong", "light", EVERY_LEVEL)
    assert found.drop.value == pytest.approx(0.2)
    assert found.drop.n == N
    assert found.drop.low < 0.2 < found.drop.high
    assert found.p is None
    one_level = drop(PHYSICS, "strong", "mass", EVERY_LEVEL)
    assert one_level.drop.value == pytest.approx(drop(PHYSICS, "strong", "mass", "heavy").drop.value)


def test_where_no_scene_differs_there_is_no_interval_around_it():
    found = drop(PHYSICS, "weak", "mass", EVERY_LEVEL)
    assert (found.drop.value, found.drop.low) == (0, None)
    assert "every resample gave the same value" in found.drop.reason
    assert drop(PHYSICS, "weak", "mass", "heavy").drop.high > 0  # Tango's has one


def test_what_no_image_shows_is_absent_not_zero():
    for level in ("heavy", EVERY_LEVEL):
        found = drop(VIDEO, "strong", "mass", level)
        assert found.drop.value is found.edited.value is None
        assert found.left_out == {"refused": N}
        assert "no image" in found.drop.reason


def test_policies_and_axes_are_ordered_by_both():
    found = axes_of(TABLE)
    on_novel = next(a for a in found.on_axis if a.axis == "novel_object")
    (comparison,) = on_novel.comparisons
    assert [(p, round(r.value, 2)) for p, r in zip(comparison.policies, comparison.true, strict=True)] == [("strong", 0.2), ("weak", 0.1)]  # fmt: skip
    assert [r.value for r in comparison.predicted] == [0.1, 0.0]
    assert next(a for a in found.on_axis if a.axis == "mass").comparisons == ()
    order = next(o for o in found.orders if o.policy == "strong")
    assert order.true == order.predicted == ("novel_object", "light")
    assert order.same
    assert order.rank_correlation.value is None  # two axes say nothing
    assert "axes" in order.rank_correlation.reason


def test_nominal_numbers_are_those_of_the_unedited_arm():
    nominal = TABLE.nominal
    assert {c[1] for c in nominal.outcomes[PHYSICS]["strong"]} == {"none"}
    assert len(nominal.outcomes[PHYSICS]["strong"]) == N
    all_edited = replace(TABLE, plan=replace(PLAN, scenes=PLAN.scenes[N : 2 * N]))
    assert all_edited.nominal is all_edited


def test_a_run_holds_clean_and_edited_trials_with_the_same_draws(tmp_path):
    """Over fakes: noise is on their frames."""
    run(tmp_path, axes=("sensor_noise:weak", "sensor_noise:strong"), policies=(reach(0.9), reach(0.3)))
    keys = [t.key for t in TRIALS.read(tmp_path) if t.key.world == "true"]
    assert len(keys) == 2 * 5 * 3
    clean = {(k.policy, k.scene): k for k in keys if k.edit == "none"}
    for key in keys:
        partner = clean[key.policy, key.scene]
        assert (key.scene_seed, key.policy_seed) == (partner.scene_seed, partner.policy_seed)
    summary = write_summary(tmp_path)
    assert all(r.success.n == 5 for r in summary.rates if r.success.value is not None)
    for d in summary.axes.drops:
        if d.view == View("true", "recorded") and d.policy:
            cells = summary.table.outcomes[d.view][d.policy]
            rate = {edit: np.mean([o is Outcome.SUCCESS for c, o in cells.items() if c[1] == edit]) for _, edit, _ in cells}  # fmt: skip
            edits = next(a.edits for a in edited_arms(summary.plan) if (a.axis, a.level) == (d.axis, d.level))
            assert d.drop.value == pytest.approx(rate["none"] - np.mean([rate[e] for e in edits]))
            assert d.drop.n == 5
    stored = json.loads((tmp_path / "summary.json").read_text())["axes"]
    assert {d["axis"] for d in stored["drops"]} == {"sensor_noise"}
    assert write_report(tmp_path).exists()


def test_noise_is_in_the_clips_of_its_trials(tmp_path):
    run(tmp_path, axes=("sensor_noise:strong",), policies=(reach(0.9),), worlds=(TRUE,))
    clips = {t.key: tmp_path / t.clip for t in TRIALS.read(tmp_path)}
    assert len(set(clips.values())) == len(clips)
    size = {k.edit != "none": p.stat().st_size for k, p in clips.items()}
    assert size[True] > 2 * size[False]


def test_a_world_that_measures_nothing_refuses_hidden_changes(tmp_path):
    plan = make_plan(request(policies=(reach(0.9),), judges=(FRAMES, RECORDED), worlds=(TRUE, DREAM)))
    heavy = tuple(replace(s, hidden={"mass": 3.0}, edits=(EDITS["mass", "heavy"],)) for s in plan.scenes)
    evaluate(replace(plan, scenes=(*plan.scenes, *heavy)), tmp_path)
    trials = list(TRIALS.read(tmp_path))
    refused = [t for t in trials if t.refused]
    assert {t.key.world for t in refused} == {"dream", "dream+replay"}
    assert len(refused) == 2 * 5
    assert all("changes mass, which no image shows" in t.refused and t.error is None for t in refused)
    name = plan.policies[0].name
    for view, rows in read_outcomes(tmp_path).outcomes.items():
        asked = {o for c, o in rows[name].items() if c[1] != "none"}
        assert (asked == {Outcome.REFUSED}) == view.world.startswith("dream")
    found = {(d.view, d.level): d.drop for d in summarise(tmp_path).axes.drops}
    assert found[View("true", "recorded"), "heavy"].value == 0
    assert all(drop.value is None for (view, _), drop in found.items() if view.world != "true")


def test_axes_are_ranked_by_what_they_cost_all_policies():
    found = costs(axes_of(TABLE), PLAN, PHYSICS)
    assert [c.axis for c in found] == ["novel_object", "light", "mass"]
    assert [c.n_scenes for c in found] == [N, 2 * N, N]
    light = found[1]
    assert light.whole.drop.n == N
    assert light.whole.drop.value == pytest.approx(((0.9 - 0.7) + (0.5 - 0.35)) / 2)
    assert [d.policy for d in light.policies] == ["strong", "weak"]
    assert [d.edited.value for d in light.policies] == pytest.approx([0.7, 0.35])
    (blind,) = [c for c in costs(axes_of(TABLE), PLAN, VIDEO) if c.axis == "mass"]
    assert (blind.whole.drop.value, blind.whole.drop.n) == (None, 0)

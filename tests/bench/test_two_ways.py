"""The two-ways benchmark: its data has both ways, its world stops who touches the post, and small policies go through it."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from reverie.rollouts import Recorded, rollout
from two_ways import ASKED_EVERY, OUTCOMES, Options, arms, chunk_shares, measure, outcome, positions
from two_ways_data import ACTION_SPEC, N_STEPS, POST, POST_RADIUS, TwoWays, as_cache, demonstrate, two_ways_scenes

RATES = {*OUTCOMES, "reached"}


def test_demonstrators_go_both_ways_in_the_share_that_was_asked_for_and_all_arrive() -> None:
    episodes = demonstrate(200, left=0.6)
    sides = Counter(map(outcome, episodes))
    assert set(sides) == {"left", "right"}
    assert abs(sides["left"] / 200 - 0.6) < 3 * np.sqrt(0.6 * 0.4 / 200)
    assert all(e.success for e in episodes)


def test_the_data_set_holds_both_first_steps_and_nothing_between() -> None:
    episodes = demonstrate(60, left=0.5)
    cache = as_cache(episodes)
    across = cache.actions[cache.action_offsets[:-1], 1]
    assert (across > 0.005).any()
    assert (across < -0.005).any()
    assert (np.abs(across) > 0.005).all()  # so that their mean is an action of nobody
    assert cache.action_offsets[-1] == len(cache.actions) == sum(e.n_steps for e in episodes)


@pytest.mark.parametrize(("first_across_m", "found"), [(0.0, "touched"), (0.015, "left"), (-0.015, "right")])
def test_straight_ahead_ends_in_the_post_and_a_slant_passes_it(first_across_m: float, found: str) -> None:
    actions = np.tile(np.array([0.02, first_across_m], np.float32), (1, N_STEPS, 1))
    (episode,) = rollout(Recorded(actions, ACTION_SPEC), TwoWays(), two_ways_scenes(1, "test"), [0], N_STEPS)
    assert outcome(episode) == found
    assert not episode.success
    if found == "touched":
        last = positions(episode)[-1]
        assert np.linalg.norm(last - POST) < POST_RADIUS  # it stays where it touched
        assert last[0] < POST[0]


def test_chunks_that_end_in_the_middle_or_go_both_ways_are_told_apart() -> None:
    steps = np.zeros((3, 8, 2), np.float32)
    steps[0, :, 1] = 0.012
    steps[1, :, 1] = np.tile([0.012, -0.012], 4)
    shares = {name: found["value"] for name, found in chunk_shares(steps).items()}
    assert shares == pytest.approx({"left": 1 / 3, "right": 0, "between": 2 / 3, "wavering": 1 / 3})


def test_every_policy_is_taught_rolled_out_and_drawn(tmp_path: Path) -> None:
    options = Options(scenes=6, demonstrations=12, samples=128, out=tmp_path / "runs")
    found = measure(options, arms(), tmp_path / "two_ways.png")
    assert set(found) == {"demonstrators", "policies"}
    assert set(found["policies"]) == {"bc", "vla_tokens", "vla_flow", "diffusion_policy"}
    for name, policy in found["policies"].items():
        assert set(policy) == {"training", "first_chunk", *(f"every_{n}" for n in ASKED_EVERY)}, name
        for every in ASKED_EVERY:
            shares = policy[f"every_{every}"]
            assert set(shares) == RATES
            assert sum(shares[o]["value"] for o in OUTCOMES) == pytest.approx(1)
            assert all(r["n"] == 6 and r["low"] <= r["value"] <= r["high"] for r in shares.values())
    with Image.open(tmp_path / "two_ways.png") as picture:
        assert picture.width == 900

"""Batches: the right actions for a frame, names that move with the sentence, points that lie on the things."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reverie.core import ReverieError, Scene
from reverie.scenes.instructions import PARAPHRASES, TEMPLATES, write
from reverie.training.behaviour_cloning import CloningConfig, Demonstrations, window_of
from reverie.training.fakes import MATRICES, N_STEPS, SIZE, fake_cache, fake_scene
from reverie.training.naming import names_in, rephrasings, symmetries
from reverie.training.sampler import WeightedSampler
from reverie.training.selection import rows_of, split_episodes
from reverie.training.statistics import fit_shapes, fit_transforms
from reverie.training.supervision import slots, yaw
from reverie.training.windows import chunk, observed_frames


def _source(config: CloningConfig | None = None, n_obs_steps: int = 1, **cache_options: object) -> Demonstrations:
    cache, config = fake_cache(12, **cache_options), config or CloningConfig()  # type: ignore[arg-type]
    window = window_of(cache, config, n_obs_steps, 1, 10)
    transforms = fit_transforms(cache, window, list(range(12)), config.sources, config.image_size)
    return Demonstrations(cache, config, window, transforms, seed=0)


def test_a_step_always_draws_the_same_rows() -> None:
    sampler = WeightedSampler(np.array([1.0, 0, 3, 1]), seed=1)
    rows = np.concatenate([sampler.rows(s, 100) for s in range(50)])
    np.testing.assert_array_equal(sampler.rows(7, 100), WeightedSampler(sampler.weights, 1).rows(7, 100))
    np.testing.assert_allclose(np.bincount(rows) / len(rows), [0.2, 0, 0.6, 0.2], atol=0.03)
    with pytest.raises(ReverieError, match="nothing to sample"):
        WeightedSampler(np.zeros(3), 0)


def test_batches_repeat_and_differ() -> None:
    source = _source()
    one, again, other = source.batch(3, 8), source.batch(3, 8), source.batch(4, 8)
    assert one["instructions"] == again["instructions"]
    assert all(torch.equal(one[k], again[k]) for k in one if isinstance(one[k], torch.Tensor))
    assert not torch.equal(one["state"], other["state"])


def test_chunks_follow_the_frame_and_end_with_the_episode() -> None:
    source = _source()
    cache, rows = source.cache, source.rows
    chosen = np.arange(len(rows))
    actions, valid = chunk(cache, rows, chosen, replace(source.window, horizon=10))
    i = 5
    first = cache.action_offsets[rows.episodes[i]] + cache.frame_steps[rows.frames[i]]
    np.testing.assert_array_equal(actions[i], cache.actions[first : first + 10])
    last = cache.frame_steps[rows.frames] == N_STEPS - 2
    assert (valid[last].sum(1) == 2).all()
    np.testing.assert_array_equal(actions[last][:, 5], actions[last][:, 1])


def test_what_was_intended_is_imitated_where_it_was_said() -> None:
    source = _source()
    rows, frames = source.rows, source.cache.frames
    intended = np.full((len(source.cache.frame_steps), 6, source.cache.actions.shape[1]), np.nan, np.float32)
    intended[rows.frames[3]] = 0.25
    cache = replace(source.cache, frames={**frames, "intended": intended})
    chosen = np.array([3, 4])
    wanted = replace(source.window, horizon=8)
    actions, valid = chunk(cache, rows, chosen, wanted)
    executed, exist = chunk(source.cache, rows, chosen, wanted)
    np.testing.assert_array_equal(actions[0, :6], 0.25)
    assert valid[0, :6].all()
    np.testing.assert_array_equal(actions[0, 6:], executed[0, 6:])
    np.testing.assert_array_equal(valid[0, 6:], exist[0, 6:])
    np.testing.assert_array_equal(actions[1], executed[1])
    np.testing.assert_array_equal(valid[1], exist[1])
    as_done, _ = chunk(cache, rows, chosen, replace(wanted, intended=False))
    np.testing.assert_array_equal(as_done, executed)


def test_the_first_frame_is_repeated_before_the_episode() -> None:
    source = _source(n_obs_steps=3)
    frames = observed_frames(source.cache, source.rows, np.array([0, 1, 5]), source.window)
    start = source.rows.frames[0]
    assert frames.tolist() == [[start, start, start], [start, start, start + 1], [start + 3, start + 4, start + 5]]
    batch = source.batch(0, 4)
    assert batch["images.top"].shape == (4, 3, SIZE, SIZE, 3)
    assert batch["slot_points"].shape == (4, 2, 2, 2)


def test_failed_and_foreign_episodes_are_not_imitated() -> None:
    cache = fake_cache(12, n_failed=4)
    assert set(rows_of(cache, list(range(12)), ("expert",), 1.0, 0.0).episodes.tolist()) == set(range(8))
    seen = rows_of(cache, list(range(12)), ("expert",), 1.0, 0.5)
    assert set(seen.episodes[~seen.imitated].tolist()) == {8, 9, 10, 11}
    with pytest.raises(ReverieError, match="wanted \\['human'\\]"):
        rows_of(cache, [0, 1], ("human",), 1.0, 0.0)


def test_splits_are_disjoint_and_respected() -> None:
    cache = fake_cache(60)
    train, held_out = split_episodes(cache, 0.25)
    assert 5 <= len(held_out) <= 25
    assert sorted(train + held_out) == list(range(60))
    dreamt = replace(cache, episodes=cache.episodes[::-1])  # the same scenes in another data set
    assert [59 - i for i in split_episodes(dreamt, 0.25)[1]][::-1] == held_out
    marked = [replace(e, provenance={"split": "test" if i < 2 else "train"}) for i, e in enumerate(cache.episodes)]
    assert split_episodes(replace(cache, episodes=marked), 0.25)[1] == [0, 1]


def test_far_frames_are_drawn_more_often() -> None:
    near, far = (rows_of(fake_cache(4), [0, 1], (), w, 0.0) for w in (1.0, 4.0))
    assert far.weights.max() == 4
    assert 0.05 < (far.weights == 4).mean() < 0.95
    assert (near.weights == 1).all()


def test_every_name_of_a_scene() -> None:
    scene = fake_scene(0)
    names = names_in(scene, scene.instruction.lower())
    assert len({(n.target, n.reference) for n in names}) == len(names) == 6  # three cubes, two boxes
    assert (names[0].target, names[0].reference) == (0, 3)
    for name in names:
        assert scene.objects[name.target].label in name.instruction
        assert scene.objects[name.reference].label in name.instruction


def test_swapped_names_do_not_collide() -> None:
    scene = fake_scene(0)
    beside = replace(scene, reference="thing_1", instruction=f"move the {scene.objects[0].label} to the {scene.objects[1].label}")  # fmt: skip
    found = {(n.target, n.reference): n.instruction for n in names_in(beside, beside.instruction)}
    assert found[(1, 0)] == f"move the {scene.objects[1].label} to the {scene.objects[0].label}"


def test_without_a_scene_nothing_is_named() -> None:
    assert [(n.target, n.reference) for n in names_in(None, "do it")] == [(-1, -1)]
    unclear = replace(fake_scene(0), instruction="put it there")
    assert len(names_in(unclear, unclear.instruction)) == 1


def test_points_lie_on_the_things() -> None:
    source = _source(replace(CloningConfig(), counterfactual=0.5))
    batch = source.batch(0, 64)
    first = batch["slot_points"][:, 0]
    at = (first * SIZE).long().clamp(0, SIZE - 1)
    picture = (batch["images.top"][:, 0] + 1) / 2
    for row in range(64):
        u, v = at[row, 1].tolist()  # the box named as reference; a hand or cube may stand on it
        assert picture[row, v, u].max() > 0.5 or picture[row, v, u].std() > 0.01
    torch.testing.assert_close(batch["slot_points"][:, 1], first.flip(-1))
    assert batch["slot_inside"].all()


def test_other_names_are_not_imitated() -> None:
    batch = _source(replace(CloningConfig(), counterfactual=1.0)).batch(0, 16)
    assert not batch["action_valid"].any()
    assert batch["slot_known"].all()
    assert _source(replace(CloningConfig(), counterfactual=0.0)).batch(0, 16)["action_valid"][:, 0].all()


def test_data_without_positions() -> None:
    source = _source(positions=False)
    batch = source.batch(0, 8)
    assert not batch["slot_known"].any()
    assert not batch["slot_mapped"].any()
    assert batch["action_valid"][:, 0].all()
    assert fit_shapes(source.cache, source.window, source.transforms, [0]).grounding.position_scale_m == 1


def test_what_is_behind_or_beside_the_camera_is_outside() -> None:
    poses = np.tile(np.float32([0.5, 0.5, 0, 1, 0, 0, 0]), (1, 3, 1))
    poses[0, 1, 0] = 3.0  # beside
    poses[0, 2] = np.nan  # no such thing
    behind = MATRICES[:1] * -1
    views = np.concatenate([MATRICES[:1], behind])[None]
    sizes = np.array([[SIZE, SIZE]] * 2)
    found = slots(np.array([[0, 1]]), poses, views, sizes, np.ones((1, 3), np.float32))
    assert found["slot_inside"][0].tolist() == [[True, False], [False, False]]
    assert found["slot_mapped"].all()
    missing = slots(np.array([[2, -1]]), poses, views, sizes, np.ones((1, 3), np.float32))
    assert not missing["slot_known"].any()
    assert all(np.isfinite(v).all() for v in missing.values())


def test_yaw_of_a_quaternion() -> None:
    angle = np.linspace(-3, 3, 7)
    quat = np.stack([np.cos(angle / 2), 0 * angle, 0 * angle, np.sin(angle / 2)], -1)
    np.testing.assert_allclose(yaw(quat), angle, atol=1e-6)


def test_symmetries_by_shape() -> None:
    scene = Scene("s", "put", "", tuple(replace(fake_scene(0).objects[0], kind=k) for k in ("cube", "brick", "can")))
    assert symmetries(scene).tolist() == [4, 2, 0]


def test_statistics_are_of_the_training_data_only() -> None:
    source = _source()
    batch = [source.batch(s, 64) for s in range(5)]
    actions = torch.cat([b["actions"][..., :2] for b in batch])
    assert actions.std().item() == pytest.approx(1, abs=0.4)
    grip = torch.cat([b["actions"][..., 6] for b in batch])
    assert set(grip.unique().tolist()) == {0.0, 1.0}


def test_the_shuffled_set_keeps_the_frames() -> None:
    sets = {k: list(v) for k, v in _source(CloningConfig(validation_fraction=0.5)).validation().items()}
    assert sets.keys() == {"held_out", "shuffled", "counterfactual"}
    plain, shuffled = sets["held_out"][0], sets["shuffled"][0]
    assert torch.equal(plain["images.top"], shuffled["images.top"])
    assert plain["instructions"] != shuffled["instructions"]
    assert sorted(plain["instructions"]) == sorted(shuffled["instructions"])
    assert not shuffled["slot_known"].any()


def test_sentences_cover_every_batch() -> None:
    source = _source(replace(CloningConfig(), counterfactual=0.5))
    known = set(source.sentences())
    seen = {s for step in range(20) for s in source.batch(step, 16)["instructions"]}
    seen |= {s for batches in source.validation().values() for b in batches for s in b["instructions"]}
    assert seen <= known


def _spelled(task: str, templates: dict[str, tuple[str, ...]], source: Demonstrations) -> set[str]:
    """Every sentence of these templates about the things of the source's scenes."""
    found = set()
    for episode in source.cache.episodes:
        assert episode.scene is not None
        labels = [o.label for o in episode.scene.objects]
        for template in templates[task]:
            found |= {write(task, template, t, r, "in").lower() for t in labels for r in labels}
    return found


def test_some_sentences_are_said_otherwise_and_mean_the_same() -> None:
    plain = _source(CloningConfig(counterfactual=0.5))
    rewritten = _source(CloningConfig(counterfactual=0.5, paraphrase=0.6))
    known, templates = set(rewritten.sentences()), _spelled("put", TEMPLATES, plain)
    changed = total = 0
    for step in range(20):
        a, b = plain.batch(step, 16), rewritten.batch(step, 16)
        for key in ("images.top", "actions", "action_valid", "slot_positions_m", "slot_known"):
            assert torch.equal(a[key], b[key])
        for before, after in zip(a["instructions"], b["instructions"], strict=True):
            changed, total = changed + (before != after), total + 1
            assert after == before or after in templates
        assert set(b["instructions"]) <= known
    assert changed / total == pytest.approx(0.6 * 4 / 5, abs=0.1)  # one template in five is the sentence itself
    assert known.isdisjoint(_spelled("put", PARAPHRASES, plain))


def test_validation_and_unknown_tasks_keep_their_sentences() -> None:
    source = _source(CloningConfig(paraphrase=1.0, validation_fraction=0.5))
    said = {s for b in source.validation()["held_out"] for s in b["instructions"]}
    assert said <= {e.instruction.lower() for e in source.cache.episodes}
    scene = replace(fake_scene(0), task="tidy")
    assert rephrasings(scene, names_in(scene, scene.instruction)[0]) == []
    assert rephrasings(None, names_in(None, "do it")[0]) == []


def test_a_share_of_a_batch_is_that_share() -> None:
    source = _source(CloningConfig(paraphrase=0.5))
    whole, half = source.batch(4, 8), source.batch(4, 8, slice(4, 8))
    assert whole["instructions"][4:] == half["instructions"]
    assert all(torch.equal(v[4:], half[k]) for k, v in whole.items() if isinstance(v, torch.Tensor))

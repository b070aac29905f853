"""Scenes that are told something else: what stays, what counts, and that their trials are pairs."""

from reverie.edits import edited
from reverie.evaluation.blocks import blocks_of
from reverie.evaluation.language import shuffled, swapped, told
from reverie.evaluation.loaders import tabletop_scenes
from reverie.evaluation.plan import Entry, Plan
from reverie.scenes.tasks import FAMILIES, draw_scene
from reverie.sim import PhysicsWorld

SCENES = tabletop_scenes("validation", "40")


def named(scene):
    return [o.name for o in scene.objects if o.label in scene.instruction]


def test_shuffling_changes_the_words_only():
    for before, after in zip(SCENES, shuffled(SCENES), strict=True):
        assert after.instruction != before.instruction
        assert (after.id, after.objects, after.target, after.reference) == (
            before.id,
            before.objects,
            before.target,
            before.reference,
        )
    assert sorted(s.instruction for s in shuffled(SCENES)) == sorted(s.instruction for s in SCENES)


def test_a_swapped_task_is_about_other_things_of_the_same_scene():
    found = [(s, swapped(s)) for s in SCENES]
    assert sum(other is not None for _, other in found) > 30
    for before, after in found:
        if after is None:
            continue
        assert after.objects == before.objects
        assert after.target != before.target
        assert {after.target, after.reference} != {before.target, before.reference}
        assert {after.target, after.reference} <= set(named(after))
        assert after.placement(after.reference).container == (after.task == "put")


def test_a_swapped_task_can_be_begun():
    """Nothing of it is done at reset (the world refuses such a scene)."""
    scenes = [s for s in map(swapped, SCENES[:12]) if s is not None]
    PhysicsWorld().reset(scenes, list(range(len(scenes))))


def test_the_edited_trial_shares_its_draws_with_the_clean_one():
    scene = SCENES[0]
    entry = Entry("a", "a", "a")
    (clean,), (edited,) = (
        [k for b in blocks_of(Plan((entry,), (entry,), (entry,), (s,), 10)) for k in b.keys]
        for s in (scene, told(scene, "lift it"))
    )
    assert clean.edit == "none"
    assert edited.edit.startswith("instruction-")
    assert (clean.scene_seed, clean.policy_seed) == (edited.scene_seed, edited.policy_seed)
    assert clean != edited


def test_two_edits_of_a_scene_are_two_trials():
    ids = {told(SCENES[0], words).edits[0].id for words in ("lift it", "drop it")}
    assert len(ids) == 2


def test_every_family_is_told_its_own_task_and_another_in_other_words():
    for scene in (draw_scene(f, "validation", i) for f in FAMILIES for i in range(6)):
        said = edited(scene, "language", "rephrased")
        assert said is not None
        assert said.instruction != scene.instruction
        assert named(said) == named(scene)
        other = swapped(scene)
        if other is not None:
            assert other.goals != scene.goals
            assert {n for g in other.goals for n in (g.target, g.reference) if n} == set(named(other))


def test_blocks_hold_trials_of_one_length():
    entry = Entry("a", "a", "a")
    scenes = tuple(draw_scene(f, "validation", i) for i in range(3) for f in ("a_then_b", "stack"))
    blocks = list(blocks_of(Plan((entry,), (entry,), (entry,), scenes, 80, block_size=2)))
    assert [(b.n_steps, len(b.keys)) for b in blocks] == [(80, 2), (80, 1), (160, 2), (160, 1)]
    assert {k.scene for b in blocks for k in b.keys} == {s.id for s in scenes}
    assert len({b.id for b in blocks}) == 4

"""Edits of scenes as values: each axis changes what it claims to change, and nothing else; all of it decided by scene and edit."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from reverie.core import ReverieError, Scene
from reverie.core.fakes import fake_scenes
from reverie.edits import AXES, arms_named, edited, edited_scenes
from reverie.embodiments import panda
from reverie.scenes.assets import UNSEEN_COLORS, UNSEEN_OBJECTS
from reverie.scenes.instructions import TEMPLATES
from reverie.scenes.placement import X_RANGE_M, Y_RANGE_M
from reverie.scenes.tasks import START_HIGH, START_LOW, draw_scene

TASKS = ("put", "move_beside")
SCENES = [draw_scene(task, "validation", i) for i in range(12) for task in TASKS]
ARMS = [(name, level) for name, axis in AXES.items() for level in axis.levels]
MAY_CHANGE = {
    "background": {"look"},
    "light": {"look"},
    "camera_pose": {"look"},
    "camera_pose_old": {"look"},
    "sensor_noise": {"look"},
    "distractors_small": {"distractors"},
    "distractors_large": {"distractors"},
    "novel_object": {"objects", "instruction"},
    "object_position": {"objects"},
    "robot_start": {"robot_start"},
    "language": {"instruction"},
    "mass": {"hidden"},
    "friction": {"hidden"},
}


def under(axis: str, level: str) -> list[tuple[Scene, Scene]]:
    """Pairs before and after, of the scenes with room for the edit."""
    return [(s, found) for s in SCENES if (found := edited(s, axis, level)) is not None]


def fields(before: Scene, after: Scene) -> set[str]:
    a, b = asdict(before), asdict(after)
    return {name for name in a if a[name] != b[name]}


@pytest.mark.parametrize(("axis", "level"), ARMS)
def test_an_edit_changes_what_it_claims_and_nothing_else(axis: str, level: str) -> None:
    pairs = under(axis, level)
    assert len(pairs) >= len(SCENES) - 2
    for before, after in pairs:
        assert fields(before, after) == MAY_CHANGE[axis] | {"edits"}
        (edit,) = after.edits
        assert (edit.axis, edit.parameters["level"]) == (axis, level)
        assert edit.severity == AXES[axis].levels[level].severity
        assert edited(before, axis, level) == after
        assert Scene.from_dict(json.loads(json.dumps(after.to_dict()))).hash == after.hash


def test_a_scene_draws_its_own_edit() -> None:
    for axis in ("distractors_small", "camera_pose", "sensor_noise", "robot_start"):
        level = next(iter(AXES[axis].levels))
        assert (
            len({json.dumps(asdict(a)[next(iter(MAY_CHANGE[axis]))], sort_keys=True) for _, a in under(axis, level)})
            > 5
        )


def test_only_one_thing_becomes_novel_and_the_words_follow() -> None:
    kinds, colors = set(), set()
    for level in ("shape", "color", "both"):
        for before, after in under("novel_object", level):
            assert [o for o in before.objects if o.name != before.target] == [
                o for o in after.objects if o.name != after.target
            ]
            old, new = before.placement(before.target), after.placement(after.target)
            assert replace(new, kind=old.kind, color=old.color) == old
            assert (new.kind in UNSEEN_OBJECTS) == (level != "color")
            assert (new.color in UNSEEN_COLORS) == (level != "shape")
            assert new.label in after.instruction
            assert old.label not in after.instruction
            kinds, colors = kinds | {new.kind}, colors | {new.color}
    assert kinds >= set(UNSEEN_OBJECTS)
    assert len(UNSEEN_OBJECTS) == 5
    assert colors >= set(UNSEEN_COLORS)


@pytest.mark.parametrize("level", ["near", "far"])
def test_the_target_stands_outside_and_the_start_lies_beyond(level: str) -> None:
    for _, after in under("object_position", level):
        thing = after.placement(after.target)
        assert not (X_RANGE_M[0] <= thing.x <= X_RANGE_M[1] and Y_RANGE_M[0] <= thing.y <= Y_RANGE_M[1])
    for _, after in under("robot_start", level):
        beyond = [i for i, v in enumerate(after.robot_start) if not START_LOW[i] <= v <= START_HIGH[i]]
        assert len(beyond) == 1
        reached = panda.start([after.robot_start])[0]
        np.testing.assert_allclose(reached[:3], panda.HOME_POSITION + after.robot_start[:3], atol=2e-3)


def test_plushies_are_as_wide_as_said_and_stand_clear() -> None:
    for axis, level, count, scale in (("distractors_small", "three", 3, 1), ("distractors_large", "two", 2, 3)):
        widths = {}
        for before, after in under(axis, level):
            kind = before.placement(before.target).kind
            assert len({d.kind for d in after.distractors}) == len(after.distractors) == count
            for d in after.distractors:
                widths.setdefault(kind, d.size_m)
                assert d.size_m == widths[kind]
                assert 0.04 * scale < d.size_m < 0.065 * scale
                assert all(np.hypot(d.x - o.x, d.y - o.y) > d.size_m / 2 + 0.02 for o in after.objects)


def test_other_words_mean_the_same() -> None:
    for before, after in under("language", "rephrased"):
        target, reference = (before.placement(n).label for n in (before.target, before.reference))
        assert target in after.instruction
        assert reference in after.instruction
        known = {t.format(target=target, reference=reference, preposition=p) for t in TEMPLATES[before.task] for p in ("in", "on", "next to")}  # fmt: skip
        assert after.instruction not in known
    for before, after in under("language", "misspelt"):
        pairs = [(a, b) for a, b in zip(before.instruction.split(), after.instruction.split(), strict=True) if a != b]
        assert len(pairs) == 2
        assert all(sorted(a) == sorted(b) and a[0] == b[0] for a, b in pairs)
    for before, after in under("language", "more_specific"):
        assert after.instruction.startswith(before.instruction)


def test_less_specific_words_still_tell_things_apart() -> None:
    for before, after in under("language", "less_specific"):
        target = before.placement(before.target)
        if target.label not in after.instruction:
            others = [o for o in before.objects if o.name != target.name]
            by_kind = all(o.kind != target.kind for o in others)
            assert by_kind or all(o.color != target.color for o in others if not o.container)


@pytest.mark.parametrize("language", ["german", "spanish"])
def test_other_languages_name_two_different_things(language: str) -> None:
    for before, after in under("language", language):
        assert after.instruction.isprintable()
        assert "{" not in after.instruction
        assert before.placement(before.target).color not in after.instruction.replace("orange", "").split()


def test_both_variants_of_moved_cameras_stand_alike() -> None:
    for scene in SCENES[:4]:
        told, untold = (edited(scene, axis, "far") for axis in ("camera_pose", "camera_pose_old"))
        assert told is not None
        assert untold is not None
        assert told.look["cameras"] == untold.look["cameras"]
        assert panda.calibration_of(told.look) == panda.cameras_of(told.look) == panda.cameras_of(untold.look)
        assert panda.calibration_of(untold.look) == panda.CAMERAS != panda.cameras_of(untold.look)


def test_arms_by_name() -> None:
    assert arms_named("background") == [("background", c) for c in ("red", "green", "blue")]
    assert arms_named("light:dark") == [("light", "dark")]
    assert len(arms_named("all")) == len([a for a in ARMS if not AXES[a[0]].blind])
    with pytest.raises(ReverieError, match="did you mean 'background'"):
        arms_named("backgrund")
    with pytest.raises(ReverieError, match="level of axis 'light' 'bright'"):
        arms_named("light:bright")
    assert len(edited_scenes(SCENES[:2], ("background", "background:red"))) == 6


def test_what_nobody_would_change_is_refused() -> None:
    photo = Scene("take/1", "pick", "lift it", recorded="take 1")
    for scene in (photo, fake_scenes(1)[0]):
        with pytest.raises(ReverieError, match="none of its tabletop scenes: ask for sensor_noise"):
            edited(scene, "background", "red")
        assert edited(scene, "sensor_noise", "weak") is not None


def test_the_page_lists_every_axis_and_level() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "axes.md").read_text()
    for name, axis in AXES.items():
        assert f"| `{name}` | {axis.changes} | {axis.code} | " in page
        assert all(f"`{level}` {said.severity:g}: {said.meaning}" in page for level, said in axis.levels.items())

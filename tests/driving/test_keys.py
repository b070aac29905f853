"""Keys and commands: which way, how far, and for which robots."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.core import Observations, ObservationSpec, ReverieError
from reverie.core.fakes import FakeWorld, fake_scenes
from reverie.driving.keys import MOVES, SLOWLY, Keyboard
from reverie.driving.pace import Pace
from reverie.embodiments import panda
from reverie.embodiments.cameras import project

NAMES = panda.ACTION_SPEC.names


def at_home():
    state = panda.start([[0.0] * 6]).astype(np.float32)
    return Observations(images={}, time_s=np.zeros(1), commanded=state)


def keyboard(spec=panda.ACTION_SPEC, speed=0.5, shown=panda.OBSERVATION_SPEC, first=None):
    return Keyboard(spec, shown, first or at_home(), speed)


def moved(key, camera):
    """In pixels (right, down), what holding a key does to the hand as a camera sees it."""
    before = panda.start([[0.0] * 6])
    after = panda.integrate(before, keyboard().action({key})[None])
    index = [c.name for c in panda.CAMERAS].index(camera)
    seen = [
        project(panda.camera_matrices(s)[0, index].astype(float) if i == 0 else matrix, s[0, :3])[0]
        for i, (s, matrix) in enumerate(
            [(before, None), (after, panda.camera_matrices(before)[0, index].astype(float))]
        )
    ]
    return seen[1] - seen[0]


@pytest.mark.parametrize("camera", ["front", "top"])
def test_arrows_move_the_hand_as_the_pictures_show_it(camera):
    assert moved("ArrowRight", camera)[0] > 0.5
    assert moved("ArrowLeft", camera)[0] < -0.5
    assert moved("ArrowUp", camera)[1] < -0.3
    assert moved("ArrowDown", camera)[1] > 0.3
    assert moved("w", "front")[1] < -0.5


def test_opposite_keys_cancel_and_shift_is_slow():
    keys = keyboard()
    assert keys.action({"ArrowUp", "ArrowDown"})[0] == 0
    fast, slow = keys.action({"a"})[5], keys.action({"a", SLOWLY})[5]
    assert 0 < slow < 0.5 * fast
    assert (
        np.abs(keyboard(speed=1.0).action(set(MOVES) - {"s", "ArrowDown", "ArrowRight", "d"})) <= panda.ACTION_SPEC.high
    ).all()


def test_the_gripper_keeps_what_it_was_told_in_either_sign():
    turned = replace(panda.ACTION_SPEC, gripper="open0_closed1")
    for spec, opened in ((panda.ACTION_SPEC, 1.0), (turned, 0.0)):
        keys = keyboard(spec)
        assert keys.action(())[6] == opened
        keys.open = False
        assert keys.action({"w"})[6] == 1 - opened


def test_absolute_targets_begin_where_the_hand_is():
    """As real logs have them: x y z roll pitch yaw gripper, all of them targets."""
    names = ("x", "y", "z", "roll", "pitch", "yaw", "gripper")
    spec = replace(panda.ACTION_SPEC, names=names, modes=("absolute",) * 7, low=None, high=None)
    pose = np.array([[0.4, 0.1, 0.3, 3.0, 0.1, 0.2, 1.0]], np.float32)
    first = Observations(images={}, time_s=np.zeros(1), commanded=pose)
    keys = keyboard(spec, shown=ObservationSpec((), commanded=names), first=first)
    np.testing.assert_allclose(keys.action(()), pose[0])
    once, twice = keys.action({"w"}), keys.action({"w"})
    assert twice[2] - once[2] == pytest.approx(once[2] - pose[0, 2], rel=1e-4)
    np.testing.assert_allclose(keys.action(())[:6], twice[:6])


def test_what_keys_cannot_drive_is_refused_by_its_names():
    joints = replace(panda.ACTION_SPEC, frame="joint", names=tuple(f"q{i}" for i in range(7)))
    with pytest.raises(ReverieError, match=r"q0, q1.*joint frame"):
        keyboard(joints)
    unknown = replace(panda.ACTION_SPEC, names=("x", *NAMES[1:]), modes=("absolute", *panda.ACTION_SPEC.modes[1:]))
    with pytest.raises(ReverieError, match="nothing says where it is"):
        keyboard(unknown, shown=ObservationSpec(()))


def test_only_keys_that_do_something_are_offered():
    world = FakeWorld()
    first = world.reset(fake_scenes(1), [0])
    keys = Keyboard(world.action_spec, world.observation_spec, first, 0.5)
    assert list(keys.moves) == ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]
    assert keys.action({"w", "a", "ArrowLeft"}).tolist()[:2] == pytest.approx([0, -0.017])


def test_what_is_late_is_not_caught_up_on():
    now = [0.0]
    pace = Pace(10.0, lambda: now[0])
    for _ in range(40):
        pace.wait()
        now[0] += 0.2  # twice as long as there is
        pace.stepped()
    assert pace.rate == pytest.approx(5.0)
    assert pace.words == "5.0 of 10 steps a second, as fast as this machine can"
    now[0] += 0.05
    pace.wait()
    assert pace._due <= now[0] + 0.1 + 1e-9

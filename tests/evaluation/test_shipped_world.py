"""What the video world that ships must do with commands that no demonstration holds: none at all, and negated ones."""

import numpy as np
import pytest

from reverie.core import TrialKey
from reverie.embodiments import panda
from reverie.evaluation.fidelity import changed, views
from reverie.evaluation.loaders import judge, nothing, shipped, tabletop_scenes, video
from reverie.evaluation.motion import alignment, displacement
from reverie.rollouts import Recorded, executed_actions, rollout
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig

pytestmark = pytest.mark.slow
SCENES = tabletop_scenes("validation", "2")
KEYS = [TrialKey("any", "video", s.id) for s in SCENES]


@pytest.fixture(scope="module")
def still():
    return rollout(nothing(""), video("shipped"), SCENES, KEYS, 80)


def test_a_hand_that_does_not_move_moves_nothing(still):
    for episode in still:
        seen = views(episode)
        assert changed(seen[-1:], seen[0]).mean() < 0.05


def test_doing_nothing_does_not_succeed(still):
    assert [v.success for v in judge(str(shipped("judges/frames"))).judge(still)] == [False] * len(still)


def test_negated_commands_move_the_robot_the_other_way():
    """In pixels, against physics: nothing that conditions the world is looked at."""
    n_steps = 10
    real = rollout(Script(ScriptConfig()), PhysicsWorld(), SCENES, KEYS, n_steps)
    given = executed_actions(real)
    negated = given * np.array([-1] * 6 + [1], np.float32)
    ways = [displacement(views(e)) for e in real]
    for actions, sign in ((given, 1), (negated, -1)):
        replay = Recorded(actions, panda.ACTION_SPEC, frame_every=2, n_action_steps=2)
        dreams = rollout(replay, video("shipped"), SCENES, KEYS, n_steps)
        assert all(sign * alignment(displacement(views(d)), way) > 0.25 for d, way in zip(dreams, ways, strict=True))

"""The physics judge repeats what a world measured, and nothing else."""

from dataclasses import replace

from reverie.core import Event
from reverie.core.fakes import FakeWorld, ReachPolicy, fake_scenes, tiny_episode
from reverie.judges import PhysicsJudge
from reverie.judges.physics import NOT_MEASURED
from reverie.rollouts import rollout


def test_agrees_with_the_world_on_success_and_its_time() -> None:
    episodes = rollout(ReachPolicy(), FakeWorld(), fake_scenes(4), [1, 2, 3, 4], 40)
    verdicts = PhysicsJudge().judge(episodes)
    assert [v.success for v in verdicts] == [e.success for e in episodes]
    assert [v.success_time_s for v in verdicts] == [e.success_time_s for e in episodes]
    assert any(v.success for v in verdicts)


def test_abstains_where_nothing_was_measured_even_with_a_label() -> None:
    (dreamt,) = rollout(ReachPolicy(), FakeWorld(measures=False), fake_scenes(1), [1], 20)
    for episode in (dreamt, replace(dreamt, success=True)):
        (verdict,) = PhysicsJudge().judge([episode])
        assert verdict.success is None
        assert verdict.reason == NOT_MEASURED


def test_lists_harm_beside_success() -> None:
    events = (Event("dropped", 0.2), Event("success", 0.4))
    (verdict,) = PhysicsJudge().judge([replace(tiny_episode(), events=events)])
    assert verdict.success
    assert verdict.success_time_s == 0.4
    assert verdict.harm == ("dropped",)

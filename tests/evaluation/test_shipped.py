"""What is shipped can be opened, used and traced back."""

from pathlib import Path

import pytest

from reverie.checkpoints import load
from reverie.cli.demo import shipped_request
from reverie.core import Episode, TrialKey
from reverie.evaluation import make_plan
from reverie.evaluation.loaders import SHIPPED, nothing
from reverie.evaluation.resolve import load_judge, load_policy, load_world
from reverie.rollouts import rollout
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld

FOLDERS = sorted(p.parent.relative_to(SHIPPED) for p in SHIPPED.glob("*/*/checkpoint.json"))
SCENE = draw_scene("put", "validation", 1)


def _named(kind: str) -> list[str]:
    return [f.name for f in FOLDERS if f.parts[0] == kind]


def _rollout(policy: str | None, world: str) -> Episode:
    acting = nothing("") if policy is None else load_policy(policy)
    opened = PhysicsWorld() if world == "physics" else load_world(world)
    return rollout(acting, opened, [SCENE], [TrialKey("p", world, SCENE.id)], 8)[0]


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_receipt_says_how_it_was_made(folder: Path) -> None:
    receipt = load(SHIPPED / folder).receipt
    assert {"data", "samples", "seconds", "commit", "torch", "measured", "trainer"} <= receipt.keys()
    assert receipt["measured"]


@pytest.mark.parametrize("name", _named("policies"))
def test_policies_act(name: str) -> None:
    assert _rollout(f"shipped:{name}", "physics").actions[:, :3].any()


@pytest.mark.parametrize("name", _named("judges"))
def test_judges_have_an_opinion(name: str) -> None:
    verdict = load_judge(f"shipped:{name}").judge([_rollout(None, "physics")])[0]
    assert verdict.success is False
    assert verdict.probability is not None


def test_the_world_generates() -> None:
    assert _rollout(None, "video:shipped").n_frames == 5


def test_the_demo_can_be_planned_and_the_package_is_small() -> None:
    assert len(make_plan(shipped_request("test:2")).policies) >= 7
    assert len(_named("policies")) >= 4
    assert sum(f.stat().st_size for f in SHIPPED.rglob("*") if f.is_file()) < 100e6

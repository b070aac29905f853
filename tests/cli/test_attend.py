"""`reverie attend`: one self-contained page for every family, on random images and on a rendered scene."""

import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reverie.checkpoints import save
from reverie.cli.attend import open_episode, open_network, sentences
from reverie.cli.main import main
from reverie.core import ActionSpec, CameraSpec, Episode, Observations, ObservationSpec, ReverieError
from reverie.data import write_dataset
from reverie.evaluation.attention import look
from reverie.nn.grounding import GroundingShapes
from reverie.nn.text_config import TextConfig
from reverie.policies import LEARNED, LearnedPolicy, PolicyShapes
from reverie.policies.encoders import EncoderConfig
from reverie.policies.learned import policy_checkpoint
from reverie.rollouts import rollout
from reverie.scenes.tasks import draw_scene
from reverie.sim import PhysicsWorld
from reverie.sim.script import Script, ScriptConfig
from reverie.transforms import ImagesToFloat, LowerText, NormalizeActions, NormalizeState, Pipeline

SPEC = ObservationSpec((CameraSpec("a", 32, 32), CameraSpec("b", 32, 32)), ("x", "y", "opening"), frame_every=2)
ACTIONS = ActionSpec(("dx", "gripper"), ("m", "1"), ("delta", "absolute"), "base", "none", "closed0_open1", 10.0)
SHAPES = PolicyShapes(("a", "b"), 2, (1,), GroundingShapes(2, 32, 32, 3), (-3.0, 0.0), (3.0, 1.0))
MAPS = "What it finds where the words point"
NOTHING = "in this network no attention lies between"


class Page(HTMLParser):
    """Elements of a page that is well-formed and loads nothing from elsewhere."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text, self.open, self.seen = path.read_text(), [], []
        self.feed(self.text)
        assert not self.open
        assert "http" not in self.text

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)
        assert not {"src", "href"} & {name for name, _ in attrs}

    def handle_startendtag(self, tag: str, attrs: list[Any]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One episode of random images, one of a rendered scene."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    seen = Observations(
        images={c: rng.integers(0, 256, (3, 32, 32, 3)).astype(np.uint8) for c in "ab"},
        time_s=np.arange(3) / 5,
        instructions=("Put the red brick in the bowl",) * 3,
        commanded=rng.normal(size=(3, 3)).astype(np.float32),
    )
    noise = Episode(seen, np.array([0, 2, 4]), np.zeros((6, 2), np.float32), SPEC, ACTIONS, seen.instructions[0])
    write_dataset(folder / "noise", [noise])
    write_dataset(
        folder / "put", rollout(Script(ScriptConfig()), PhysicsWorld(), [draw_scene("put", "test", 3)], [0], 2)
    )
    return folder


def _saved(family: str, folder: Path) -> Path:
    text = TextConfig("words", words_dim=32)
    small = EncoderConfig(grounding=replace(EncoderConfig().grounding, text=text, width=16, deep_width=16))
    config: Any = replace(LEARNED[family].tiny, encoder=small)
    torch.manual_seed(0)
    transforms = Pipeline(
        (LowerText(), ImagesToFloat(), NormalizeState((0.0,) * 3, (1.0,) * 3), NormalizeActions((0.0,) * 2, (0.1, 1.0)))
    )
    spec = replace(SPEC, n_obs_steps=config.n_obs_steps, obs_stride=config.obs_stride)
    model = LEARNED[family].build(config, SHAPES)
    policy = LearnedPolicy(family, model, spec, ACTIONS, transforms, config.n_action_steps, asdict(config), family)
    save(folder, policy_checkpoint(policy, SHAPES, {}))
    return folder


@pytest.mark.parametrize("family", sorted(LEARNED))
def test_every_family_has_a_page(
    family: str, recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["attend", str(_saved(family, tmp_path / "p")), f"{recorded / 'noise'}#0", "--frame", "2"]
    assert main([*asked, "--other", "move <it>", "--out", str(tmp_path / "new" / "page.html")]) == 0
    shown = capsys.readouterr()
    page = Page(Path(shown.out.strip()))
    assert "B: move <it> (as given)" in shown.err
    assert "move &lt;it&gt;" in page.text
    assert MAPS in page.text
    attends = family not in ("simple_vla", "bc", "diffusion_policy")
    assert (NOTHING in page.text) is not attends
    layers = len(re.findall(r"<h3>(?!target|reference)", page.text))
    assert layers == {"act": 2}.get(family, 4) * attends
    assert page.seen.count("svg") == 2 * 2 * (2 + layers)  # views, instructions, what is shown of each


def test_a_shipped_policy_on_a_rendered_scene(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is asked for another thing of its scene, and acts otherwise."""
    assert main(["attend", "shipped:vla-d", f"{recorded / 'put'}#0", "--out", str(tmp_path / "page.html")]) == 0
    said = capsys.readouterr().err
    assert "A: set the green cube down on the red tray (the episode's own)" in said
    assert (
        "B: set the red egg down on the red tray (the same sentence with the red egg in place of the green cube)"
        in said
    )
    assert float(re.findall(r"differ by ([\d.]+)", said)[0]) > 0.1
    page = Page(tmp_path / "page.html")
    assert page.text.count("background-image") == 4
    assert "trunk.blocks.2.attention" in page.text


def test_the_eyes_of_a_shipped_policy_follow_the_words(recorded: Path) -> None:
    """The target's point in the front view lies within 4 pixels of the named thing's middle, whichever is named."""
    policy, (episode, _) = open_network("shipped:vla-d"), open_episode(f"{recorded / 'put'}#0")
    extras, scene = episode.observations.extras, draw_scene("put", "test", 3)
    for i, thing in enumerate(scene.objects[:3]):
        found = look(policy, episode, 0, f"put the {thing.label} on the red tray").found
        assert found is not None
        u, v, w = extras["camera_matrices"][0, 0] @ [*extras["object_poses"][0, i, :3], 1]
        np.testing.assert_allclose(64 * found.points[0, 0] - 0.5, [u / w, v / w], atol=4)


def _episode(scene: Any) -> Episode:
    seen = Observations({}, np.zeros(1), (scene.instruction,))
    spec = replace(SPEC, cameras=(), commanded=())
    return Episode(
        seen, np.zeros(1, np.int64), np.zeros((0, 2), np.float32), spec, ACTIONS, scene.instruction, scene=scene
    )


def test_what_else_can_be_asked() -> None:
    scene = draw_scene("put", "test", 3)
    own, other = sentences(_episode(scene), None, None)[0]
    assert own == scene.instruction
    label = scene.placement(scene.target).label
    assert label in own
    assert label not in other
    assert scene.placement(scene.reference).label in other
    assert sentences(_episode(scene), "go home", None)[0] == ("go home", own)
    assert sentences(_episode(scene), None, "go home")[0] == (own, "go home")
    with pytest.raises(ReverieError, match="--other"):
        sentences(replace(_episode(scene), scene=None), None, None)


@pytest.mark.parametrize(
    ("checkpoint", "episode", "message"),
    [
        ("shipped:vla-x", "noise#0", "did you mean"),
        ("classical", "noise#0", "without a network"),
        ("shipped:vla-d", "noise", "DATASET#INDEX"),
        ("shipped:vla-d", "noise#7", "give 0..0"),
        ("shipped:vla-d", "noise#0", "--other"),
        ("nothing/here", "noise#0", "no policy at"),
    ],
)
def test_clear_errors(
    checkpoint: str, episode: str, message: str, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attend", checkpoint, str(recorded / episode)]) == 2
    assert message in capsys.readouterr().err


def test_a_policy_for_other_cameras_is_refused(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attend", "shipped:vla-d", f"{recorded / 'noise'}#0", "--other", "x"]) == 2
    assert "camera 'front'" in capsys.readouterr().err

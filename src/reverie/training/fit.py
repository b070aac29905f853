"""From a data set to a checkpoint: what `reverie train` does for policies and for grounding."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reverie.checkpoints import load, save
from reverie.core import ObservationSpec, ReverieError, unknown_name
from reverie.core.specs import CameraSpec
from reverie.data.cache import FrameCache
from reverie.policies.catalog import LEARNED, load_weights
from reverie.policies.encoders import GroundedEncoder
from reverie.policies.learned import LearnedPolicy, PolicyShapes, policy_checkpoint
from reverie.training.adapters import Lora, adapt, merged
from reverie.training.augmentation import UNCHANGED, Augmented
from reverie.training.behaviour_cloning import CloningConfig, Demonstrations, window_of
from reverie.training.closed_loop import ClosedLoop, SuccessConfig
from reverie.training.config import TrainerConfig
from reverie.training.freezing import freeze
from reverie.training.grounding import Grounder, GroundingModel, GroundingTask, adopt_backbone, save_backbone
from reverie.training.mixing import Mixed
from reverie.training.receipts import parents, shown
from reverie.training.selection import split_episodes
from reverie.training.source import Source
from reverie.training.statistics import fit_shapes, fit_transforms, known_to
from reverie.training.team import first_one_first, is_first, my_share
from reverie.training.text_table import prepare
from reverie.training.trainer import Trainer, discard
from reverie.training.windows import Window


@dataclass(frozen=True)
class PolicyRecipe:
    """A complete training of a policy. `model` is a configuration of the family's own class (None: its tiny one).

    backbone: a grounding checkpoint to begin with. start: a policy of this family and configuration to go on from
    (fine-tuning). freeze: names of modules whose weights, and all in them, stay as they are ("encoder.backbone"; "all"). lora:
    adapters beside frozen layers. success: measured in physics while it trains. name: for the receipt.
    """

    family: str = "vla"
    model: Any = None
    cloning: CloningConfig = field(default_factory=CloningConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    backbone: Path | None = None
    start: Path | None = None
    freeze: tuple[str, ...] = ()
    lora: Lora = field(default_factory=Lora)
    success: SuccessConfig = field(default_factory=SuccessConfig)
    name: str = "custom"


@dataclass(frozen=True)
class GroundingRecipe:
    """A complete pretraining of the backbone: every episode is looked at, whoever made it. start: a checkpoint whose
    backbone to go on from."""

    task: GroundingTask = field(default_factory=GroundingTask)
    cloning: CloningConfig = field(
        default_factory=lambda: CloningConfig(counterfactual=0.75, questions=0.3, others=1.0)
    )
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    start: Path | None = None
    name: str = "custom"


@dataclass(frozen=True)
class Prepared:
    """`main`: the data set that decides shapes and statistics; `more`: further ones, seen through the same transforms."""

    main: Demonstrations
    more: tuple[Demonstrations, ...]
    shapes: PolicyShapes
    window: Window
    seed: int

    @property
    def all(self) -> tuple[Demonstrations, ...]:
        return (self.main, *self.more)

    @property
    def scenes(self) -> set[str]:
        """Ids of the scenes that are trained on."""
        episodes = [s.cache.episodes[e] for s in self.all for e in s.train_episodes]
        return {e.scene.id for e in episodes if e.scene is not None}

    @property
    def source(self) -> Source:
        """Every data set as often as its share of all that is drawn; augmented, if that is wanted."""
        source: Source = self.main
        if self.more:
            named = {"main": self.main} | {f"more_{i}": s for i, s in enumerate(self.more)}
            source = Mixed(named, {k: float(s.rows.weights.sum()) for k, s in named.items()}, self.seed)
        looks = self.main.config.augmentation
        return source if looks == UNCHANGED else Augmented(source, looks, self.seed)


def prepare_data(cache: FrameCache, cloning: CloningConfig, trainer: TrainerConfig, model: Any, more: Sequence[FrameCache] = (), backbone: Path | None = None) -> Prepared:  # fmt: skip
    """`model`: a configuration with n_obs_steps, obs_stride and horizon; backbone: a checkpoint that one is taken from, with
    the units it was trained in. Errors: ReverieError for other specs in `more`."""
    for other in more:
        check_same_specs(cache, other)
    window = window_of(cache, cloning, model.n_obs_steps, model.obs_stride, model.horizon)
    train, _ = split_episodes(cache, cloning.validation_fraction)
    train = train[: cloning.episodes] if cloning.episodes else train
    known = known_to(backbone, window)
    transforms = fit_transforms(cache, window, train, cloning.sources, cloning.image_size, cloning.normalisation, known)
    main, *others = (Demonstrations(c, cloning, window, transforms, trainer.seed) for c in (cache, *more))
    return Prepared(main, tuple(others), fit_shapes(cache, window, transforms, train, known), window, trainer.seed)


def check_same_specs(cache: FrameCache, other: FrameCache) -> None:
    mine, its = ((c.action_spec, c.observation_spec.cameras, c.observation_spec.commanded) for c in (cache, other))
    if mine != its:
        raise ReverieError(f"{other.path} has other actions, cameras or state than {cache.path}: train on one of them")


def fit_policy(cache: FrameCache, recipe: PolicyRecipe, out: Path, *, more: Sequence[FrameCache] = (), restart: bool = False, quiet: bool = False) -> dict[str, float]:  # fmt: skip
    """Train, or go on training, a policy in `out`, on `cache` and `more` data of the same robot; returns its last
    validation."""
    if recipe.family not in LEARNED:
        raise unknown_name("policy", recipe.family, list(LEARNED))
    family = LEARNED[recipe.family]
    config = recipe.model if recipe.model is not None else family.tiny
    grounded = recipe.backbone or (recipe.start if config.encoder.kind == "grounded" else None)
    prepared = prepare_data(cache, recipe.cloning, recipe.trainer, config, more, grounded)
    torch.manual_seed(recipe.trainer.seed)
    model = family.build(config, prepared.shapes)
    untrained = _begin_with(model, recipe, prepared.window)
    freeze(model, recipe.freeze)
    _check_trained(model, untrained, recipe)
    adapt(model, recipe.lora)

    def policy_of(weights: Mapping[str, Tensor], name: str = out.name) -> LearnedPolicy:
        return _policy(recipe, config, prepared, cache, merged(model, weights), name)

    def export(folder: Path, weights: Mapping[str, Tensor], receipt: Mapping[str, Any]) -> None:
        policy = policy_of(weights, out.name if folder == out else f"{out.name}-{receipt['samples'] // 1000}k")
        full = {**receipt, **_data_receipt(recipe.name, prepared), "cloning": asdict(recipe.cloning)}
        full |= {"freeze": list(recipe.freeze), "lora": asdict(recipe.lora)}
        full |= parents(start=recipe.start, backbone=recipe.backbone)
        save(folder, policy_checkpoint(policy, prepared.shapes, full))

    success = None
    if recipe.success.every:
        specs = (observation_spec(cache, prepared.window), cache.action_spec)
        success = ClosedLoop(recipe.success, policy_of, specs, prepared.scenes)
    trainer = Trainer(model, prepared.source, recipe.trainer, out, export, quiet, success)
    return _run(trainer, prepared, restart)


def fit_grounding(cache: FrameCache, recipe: GroundingRecipe, out: Path, *, more: Sequence[FrameCache] = (), restart: bool = False, quiet: bool = False) -> dict[str, float]:  # fmt: skip
    """Pretrain the visual backbone on "where is the thing you named?" and simple questions."""
    for data in (cache, *more):
        if "object_poses" not in data.frames:
            raise ReverieError(
                f"{data.path} has no object positions (extra `object_poses`): grounding is learned from simulated data"
            )
    prepared = prepare_data(cache, recipe.cloning, recipe.trainer, recipe.task, more, recipe.start)
    torch.manual_seed(recipe.trainer.seed)
    model = GroundingModel(recipe.task, prepared.shapes)
    if recipe.start is not None:
        adopt_backbone(model.backbone, recipe.start, prepared.window.robot)

    def export(folder: Path, weights: Mapping[str, Tensor], receipt: Mapping[str, Any]) -> None:
        full = {**receipt, **_data_receipt(recipe.name, prepared), "cloning": asdict(recipe.cloning)}
        full |= parents(start=recipe.start)
        averaged = GroundingModel(recipe.task, prepared.shapes)
        averaged.load_state_dict(dict(weights))
        spec = observation_spec(cache, prepared.window)
        save_backbone(folder, Grounder(averaged, spec, prepared.main.transforms), full)

    return _run(Trainer(model, prepared.source, recipe.trainer, out, export, quiet), prepared, restart)


def _run(trainer: Trainer, prepared: Prepared, restart: bool) -> dict[str, float]:
    if restart:
        discard(trainer.out)
    cache = prepared.main.cache
    sentences = sorted({s for source in prepared.all for s in source.sentences()})
    prepare(trainer.model, sentences, cache.path if cache.path.is_dir() else None, trainer.quiet)
    _look_once(trainer.model, prepared, trainer.quiet)
    return trainer.run()


def _look_once(model: nn.Module, prepared: Prepared, quiet: bool) -> None:
    """A backbone that stays as it is sees the same in every epoch, if the pictures do not change. Processes share the data
    sets, then open what all have seen."""
    encoder = getattr(model, "encoder", None)
    if not isinstance(encoder, GroundedEncoder) or not encoder.frozen or prepared.main.config.augmentation != UNCHANGED:
        return
    sources = [s for s in prepared.all if s.cache.path.is_dir()]
    with my_share(sources) as mine:
        for source in mine:
            source.look_once(encoder.eval(), source.cache.path, quiet or not is_first())
    with first_one_first():
        for source in sources:
            source.look_once(encoder, source.cache.path, quiet)


def _begin_with(model: nn.Module, recipe: PolicyRecipe, window: Window) -> list[str]:
    """Returns the names of the weights that a given backbone left as they are."""
    if recipe.start is not None:
        load_weights(model, load(recipe.start).expect("policy", recipe.start), recipe.start)
    if recipe.backbone is None:
        return []
    backbone = getattr(getattr(model, "encoder", None), "backbone", None)
    if backbone is None:
        raise ReverieError(f"policy {recipe.family!r} has no grounded backbone to begin with: leave out --backbone")
    return [f"encoder.backbone.{name}" for name in adopt_backbone(backbone, recipe.backbone, window.robot)]


def _check_trained(model: nn.Module, untrained: Sequence[str], recipe: PolicyRecipe) -> None:
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    if never := sorted(frozen.intersection(untrained)):
        raise ReverieError(
            f"{recipe.backbone} was trained with other cameras or another state: {len(never)} of its weights, such as {never[0]}, "
            "have to be learned from this data, but freeze keeps them; leave the backbone out of freeze"
        )


def _policy(recipe: PolicyRecipe, config: Any, prepared: Prepared, cache: FrameCache, weights: Mapping[str, Tensor], name: str) -> LearnedPolicy:  # fmt: skip
    model = LEARNED[recipe.family].build(config, prepared.shapes)
    model.load_state_dict(dict(weights))
    return LearnedPolicy(
        name=name,
        model=model,
        observation_spec=observation_spec(cache, prepared.window),
        action_spec=cache.action_spec,
        transforms=prepared.main.transforms,
        n_action_steps=config.n_action_steps,
        config=asdict(config),
        family=recipe.family,
    )


def observation_spec(cache: FrameCache, window: Window) -> ObservationSpec:
    """What a policy with this window asks a world for."""
    sizes = {c: cache.images[c].shape[1:3] for c in window.cameras}
    return replace(
        cache.observation_spec,
        cameras=tuple(CameraSpec(c, int(h), int(w)) for c, (h, w) in sizes.items()),
        commanded=window.commanded,
        measured=window.measured,
        extras=(),
        n_obs_steps=window.n_obs_steps,
        obs_stride=window.obs_stride,
    )


def _data_receipt(name: str, prepared: Prepared) -> dict[str, Any]:
    held_out = [0 if s.held_out is None else len(set(s.held_out.episodes.tolist())) for s in prepared.all]
    return {
        "recipe": name,
        "data": [s.cache.path.name for s in prepared.all],
        **shown(s.cache for s in prepared.all),
        "episodes": sum(len(set(s.rows.episodes.tolist())) for s in prepared.all),
        "held_out_episodes": sum(held_out),
    }

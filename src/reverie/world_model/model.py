"""TileModel: the next frame of all views, pixel by pixel CHOSEN among candidate sources, painted where none fits.

Candidates per pixel: stay (last frame); three moved copies and the robot's drawing from `conditioning` (absent without
calibration); the first frame where no copies exist; a small learned flow of the last frame; paint.
Copying keeps small objects sharp (Finn et al. 2016, "Unsupervised Learning for Physical Interaction through Video
Prediction", section 3, mask their motions softly). Deviation: the pick is hard at inference, and it is trained by
cross-entropy towards the candidates that would have been right, not through the mixture.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from reverie.nn.grounding_loss import Mean
from reverie.world_model.conditioning import Conditioning, Frames, Rig, moved_copies
from reverie.world_model.network import UNet, UNetConfig, from_tile, to_tile

CANDIDATES = ("stay", "moved_a", "moved_b", "moved_c", "robot", "flow", "paint")
_FLOW_PIXELS = 6.0


@dataclass(frozen=True)
class TileModelConfig:
    """action_dim, frame_every: commands per frame; state_dim: numbers of the commanded state that are embedded.
    absolute: which commands are targets; they enter as changes of the state at the last frame, which then has the actions'
    own numbers from `commands_at` on."""

    n_views: int = 4
    height: int = 64
    width: int = 64
    action_dim: int = 7
    frame_every: int = 2
    state_dim: int = 15
    calibrated: bool = True
    absolute: tuple[int, ...] = ()
    commands_at: int = 0
    unet: UNetConfig = field(default_factory=UNetConfig)
    good_enough: float = 0.02
    still_weight: float = 0.05
    paint_weight: float = 4.0

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "TileModelConfig":
        unet = UNetConfig(**{**value["unet"], "channels": tuple(value["unet"]["channels"])})
        return cls(**{**value, "unet": unet, "absolute": tuple(value.get("absolute", ()))})

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class WorldBatch:
    """One step of B rows: frames so far, commands [B, frame_every, A], commanded states [B, D] at the new frame,
    conditioning (None without calibration) and, in training, the target [B, V, 3, H, W] in 0..1."""

    frames: Frames
    actions: NDArray[np.float32]
    states: NDArray[np.float32]
    conditioning: Conditioning | None
    target: Tensor | None = None


class TileModel(nn.Module):
    def __init__(self, config: TileModelConfig) -> None:
        super().__init__()
        self.config = config
        self.rig: Rig | None = None  # where cameras stand while training, if not as the tabletop's
        c_view = 9 + (14 if config.calibrated else 0)
        command_dim = config.frame_every * config.action_dim + 2 * config.state_dim
        self.unet = UNet(config.unet, 4 * c_view, 4 * (len(CANDIDATES) + 3 + 2), command_dim)
        self.register_buffer("action_scale", torch.ones(config.action_dim))
        self.register_buffer("state_mean", torch.zeros(config.state_dim))
        self.register_buffer("state_scale", torch.ones(config.state_dim))
        self.action_scale: Tensor
        self.state_mean: Tensor
        self.state_scale: Tensor

    def fit_statistics(self, actions: NDArray[np.float32], states: NDArray[np.float32]) -> None:
        """Scale commands [N, A] and states [N, D] to about unit size."""
        self.action_scale.copy_(torch.from_numpy(actions.std(0) + 1e-3))
        self.state_mean.copy_(torch.from_numpy(states.mean(0)))
        self.state_scale.copy_(torch.from_numpy(states.std(0) + 1e-3))

    def _inputs(self, batch: WorldBatch) -> tuple[Tensor, Tensor]:
        frames, c = batch.frames, batch.conditioning
        views = [frames.last, frames.before, frames.first]  # [B, V, 3, H, W] each
        if c is not None:
            views += [c.robot, c.mask, c.mask_before, c.moved.flatten(2, 3)]
        actions = torch.from_numpy(self._relative(batch)) / self.action_scale
        states = [(torch.from_numpy(s) - self.state_mean) / self.state_scale for s in (frames.states, batch.states)]
        moved = (states[1] - states[0]) * 5
        return to_tile(torch.cat(views, dim=2) - 0.5), torch.cat([actions.flatten(1), states[1], moved], dim=1)

    def _relative(self, batch: WorldBatch) -> NDArray[np.float32]:
        """Commands [B, frame_every, A], absolute ones as changes of the last frame's state."""
        if not self.config.absolute:
            return batch.actions
        actions, absolute = batch.actions.copy(), list(self.config.absolute)
        actions[:, :, absolute] -= batch.frames.states[:, None, self.config.commands_at :][:, :, absolute]
        return actions

    def candidates(self, batch: WorldBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [B, V, K, H, W] (absent candidates at -inf), candidates [B, V, K, 3, H, W], and the paint among them."""
        tile, command = self._inputs(batch)
        out = from_tile(self.unet(tile, command).float(), self.config.n_views)
        k = len(CANDIDATES)
        logits, paint, flow = out[:, :, :k], out[:, :, k : k + 3], out[:, :, k + 3 :]
        last, c = batch.frames.last, batch.conditioning
        painted = torch.sigmoid(paint * 2)
        flowed = _flow(last, torch.tanh(flow / 4) * _FLOW_PIXELS)
        if c is None:
            moved, robot = batch.frames.first[:, :, None].expand(-1, -1, 3, -1, -1, -1), last
            absent = torch.tensor([k in ("moved_b", "moved_c", "robot") for k in CANDIDATES])
            logits = logits.masked_fill(absent[:, None, None], -1e4)
        else:
            moved, robot = c.moved, c.robot
            logits = torch.cat(
                [logits[:, :, :4], logits[:, :, 4:5].masked_fill(c.mask < 0.5, -1e4), logits[:, :, 5:]], dim=2
            )
        options = torch.cat(
            [last[:, :, None], moved, robot[:, :, None], flowed[:, :, None], painted[:, :, None]], dim=2
        )
        return logits, options, painted

    def predict(self, batch: WorldBatch) -> Tensor:
        """The next frame [B, V, 3, H, W]: every pixel from its most likely candidate."""
        logits, options, _ = self.candidates(batch)
        return _pick(logits, options)

    def compute_loss(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Mean]]:
        """Mean loss over the L steps of B sequences, each step on the frames that the model itself made so far (no gradient
        through them): what it will see when it dreams. For the entries see `training.dreaming`."""
        images = {k: unpack(batch[k]) for k in ("first", "before", "last")}
        states, grasp, held = (batch[k].numpy() for k in ("states", "grasp_states", "held_states"))
        rigs = None if self.rig is None else (self.rig,) * len(states)
        frames = Frames(images["first"], images["before"], images["last"], states, grasp, held, rigs=rigs)
        losses: list[Tensor] = []
        sums: dict[str, Mean] = {}
        for i in range(batch["targets"].shape[1]):
            new = batch["new_states"][:, i].numpy()
            conditioning = None
            if self.config.calibrated:
                robot, mask, before = (unpack(batch[k][:, i]) for k in ("robot", "mask", "mask_before"))
                conditioning = Conditioning(robot, mask, before, moved_copies(frames, new))
            step = WorldBatch(frames, batch["actions"][:, i].numpy(), new, conditioning, unpack(batch["targets"][:, i]))
            loss, picked, metrics = self.step_loss(step)
            losses.append(loss)
            for name, mean in metrics.items():
                sums[name] = mean if name not in sums else Mean(sums[name].total + mean.total, sums[name].n + mean.n)
            frames = frames.push((picked * 255).round() / 255, new)
        return torch.stack(losses).mean(), sums

    def step_loss(self, batch: WorldBatch) -> tuple[Tensor, Tensor, dict[str, Mean]]:
        """Negative log of the probability given to candidates that are right, plus L1 of paint and flow where nothing
        else is right; pixels that moved weigh 1, still ones `still_weight`. Also returns the hard pick, without gradient."""
        config, target = self.config, batch.target
        assert target is not None
        logits, options, painted = self.candidates(batch)
        errors = (options - target[:, :, None]).abs().mean(3).detach()  # [B, V, K, H, W]
        errors = errors.masked_fill(logits <= -1e3, 10.0)
        copies = errors[:, :, :-1]
        best_copy = copies.amin(2, keepdim=True)
        right = copies <= best_copy + config.good_enough / 2
        # paint is right only where every copy is clearly wrong and the paint is better
        paint_right = (best_copy > 2 * config.good_enough) & (errors[:, :, -1:] < best_copy)
        good = torch.cat([right & ~paint_right, paint_right], dim=2)
        log_probability = logits.log_softmax(2)
        nll = -torch.logsumexp(log_probability.masked_fill(~good, -1e4), dim=2)  # [B, V, H, W]
        moved = (target - batch.frames.last).abs().mean(2) > config.good_enough
        weight = torch.where(moved, 1.0, config.still_weight)
        pick_loss = (nll * weight).sum() / weight.sum()
        wrong = (best_copy[:, :, 0] > config.good_enough).float()
        paint_weight = 0.05 + wrong + 0.2 * moved.float()
        paint_loss = ((painted - target).abs().mean(2) * paint_weight).sum() / paint_weight.sum()
        flow_error = (options[:, :, -2] - target).abs().mean(2)
        flow_loss = (flow_error * weight).sum() / weight.sum()
        with torch.no_grad():
            picked = _pick(logits, options)
            error = (picked - target).abs().mean(2)
            n = moved.sum().clamp(min=1)
            metrics = {
                "pick": Mean((nll * weight).sum(), weight.sum()),
                "paint": Mean(paint_loss, torch.ones(())),
                "flow": Mean(flow_loss, torch.ones(())),
                "error_moved": Mean((error * moved).sum() * 255, n),
                "oracle_moved": Mean((errors.amin(2) * moved).sum() * 255, n),
                "stay_moved": Mean((errors[:, :, 0] * moved).sum() * 255, n),
                "error": Mean(error.sum() * 255, torch.tensor(float(error.numel()))),
            }
        return pick_loss + config.paint_weight * paint_loss + flow_loss, picked, metrics


def unpack(images: Tensor) -> Tensor:
    """uint8 0..255 (or a mask 0..1) -> float: images in 0..1."""
    return images.float() / 255 if images.dtype == torch.uint8 else images.float()


def _pick(logits: Tensor, options: Tensor) -> Tensor:
    best = logits.argmax(2, keepdim=True)  # [B, V, 1, H, W]
    return options.gather(2, best[:, :, :, None].expand(-1, -1, -1, 3, -1, -1))[:, :, 0]


def _flow(images: Tensor, flow: Tensor) -> Tensor:
    """Sample [B, V, 3, H, W] at offsets [B, V, 2, H, W] in pixels."""
    b, n, c, h, w = images.shape
    v, u = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
    offset = flow.reshape(b * n, 2, h, w).permute(0, 2, 3, 1) * torch.tensor([2 / (w - 1), 2 / (h - 1)])
    grid = torch.stack([u, v], dim=-1) + offset
    out = F.grid_sample(images.reshape(b * n, c, h, w), grid, padding_mode="border", align_corners=True)
    return out.reshape(b, n, c, h, w)

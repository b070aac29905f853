"""`flow_vla`: flow matching by an action expert beside a vision-language prefix, after pi0 (Black et al. 2024, "pi0: A
Vision-Language-Action Flow Model for General Robot Control", section IV, appendix B).

Two experts share attention layer by layer: a language model (PaliGemma) reads image and word tokens, a narrower one the state
and a noisy chunk. Three blocks: [images, words] | [state] | [actions]; each reads itself and what is before it, so the
prefix never sees noise and is computed once an inference; 10 Euler steps then run the action expert alone.

    x_t = t noise + (1 - t) a,   u = noise - a,   loss = mean (v(x_t, t, o) - u)^2,   t ~ 0.001 + 0.999 Beta(1.5, 1)

The paper writes time the other way round (0 is noise); this is the public code's. An action's token is an MLP with swish of
its embedding and sines of t side by side.

Deviations: words are hashed into the vocabulary instead of read by SentencePiece (weights from a hub bring their tokenizer:
text encoder "hub:NAME"); actions are as many as the data has, not padded to 32, save at paper size; the small configuration
sees with the grounded backbone, and its state includes where the named things are.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.nn.decoder import Decoder, DecoderConfig, Expert, Prefix
from reverie.nn.flow import Velocity, noised, sample_euler, training_times
from reverie.nn.masks import blockwise, positions
from reverie.nn.metrics import Batch, Mean, Metrics, joined, mean_of
from reverie.nn.time_embedding import sincos
from reverie.policies.chunks import Scaling
from reverie.policies.encoders import Encoded, EncoderConfig, build_encoder
from reverie.policies.learned import PolicyShapes

PREFIX, STATE, ACTIONS = 0, 1, 2


@dataclass(frozen=True)
class FlowVLAConfig:
    """prefix, action: the two experts; padded: numbers of an action inside the network (0: as many as the data has); draws:
    of time and noise for each observation in training (1 in the paper; more cost the action expert only)."""

    horizon: int = 10
    n_action_steps: int = 4
    n_obs_steps: int = 1
    obs_stride: int = 1
    decoder: DecoderConfig = field(default_factory=lambda: DecoderConfig(depth=3, n_heads=4, n_kv_heads=1, head_dim=32))
    prefix: Expert = field(default_factory=lambda: Expert(128, 512))
    action: Expert = field(default_factory=lambda: Expert(128, 512))
    padded: int = 0
    flow_steps: int = 10
    draws: int = 2
    encoder: EncoderConfig = field(default_factory=EncoderConfig)


class FlowVLA(nn.Module):
    """`compute_loss(batch)` trains it, `predict(batch, seeds)` acts: normalised actions [B, horizon, A]."""

    def __init__(self, config: FlowVLAConfig, shapes: PolicyShapes) -> None:
        super().__init__()
        self.config, self.shapes = config, shapes
        c, d = config, config.action.width
        self.encoder = build_encoder(c.encoder, shapes, c.prefix.width)
        self.decoder = Decoder((c.prefix, c.action), c.decoder)
        self.n_numbers = max(c.padded, shapes.action_dim)
        self.state = nn.Linear(self.encoder.state_dim * c.n_obs_steps, d)
        self.into, self.out = nn.Linear(self.n_numbers, d), nn.Linear(d, self.n_numbers)
        self.time_into, self.time_out = nn.Linear(2 * d, d), nn.Linear(d, d)
        self.scaling = Scaling(shapes, "openings")

    def prefix(self, encoded: Encoded) -> tuple[Prefix, Tensor]:
        """Keys and values of images and words, and which of them may be read [B, N]."""
        tokens = torch.cat([encoded.tokens.flatten(1, 2), encoded.text.to(encoded.tokens.dtype)], dim=1)
        images = encoded.text_mask.new_ones(len(tokens), tokens.shape[1] - encoded.text.shape[1])
        readable = torch.cat([images, encoded.text_mask], dim=1)
        pairs = readable[:, None].expand(-1, tokens.shape[1], -1)
        _, prefix = self.decoder((tokens, None), positions(readable), pairs)
        return prefix, readable

    def velocity(self, prefix: Prefix, readable: Tensor, state: Tensor, at: Tensor, times: Tensor) -> Tensor:
        """v(x_t, t, o): noisy chunk [B, H, A] at times [B] -> [B, H, A]."""
        told = sincos(times, self.config.action.width, 4e-3, 4.0)[:, None].expand(-1, at.shape[1], -1)
        noisy = self.time_into(torch.cat([self.into(at), told.to(at.dtype)], dim=2))
        x = torch.cat([self.state(state.flatten(1))[:, None], self.time_out(F.silu(noisy))], dim=1)  # [B, 1 + H, d]
        blocks = torch.tensor([STATE] + [ACTIONS] * at.shape[1], device=at.device)
        own = blockwise(blocks).expand(len(x), -1, -1)
        pairs = torch.cat([readable[:, None].expand(-1, x.shape[1], -1), own], dim=2)
        place = readable.sum(1, keepdim=True) + torch.arange(x.shape[1], device=at.device)
        (_, out), _ = self.decoder((None, x), place, pairs, prefix=prefix)
        return cast(Tensor, self.out(cast(Tensor, out)[:, 1:])).float()

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """batch: actions [B, H, A] and action_valid [B, H] beside what the encoder needs."""
        encoded = self.encoder(batch)
        velocity = partial(self.velocity, *self.prefix(encoded), encoded.state)
        actions = F.pad(self.scaling.into(batch["actions"]), (0, self.n_numbers - self.shapes.action_dim))
        flow = joined([self._drawn(velocity, actions, batch["action_valid"]) for _ in range(self.config.draws)])
        auxiliary, more = self.encoder.auxiliary_loss(encoded, batch)
        return flow.value + auxiliary, {"flow": flow} | more

    def _drawn(self, velocity: Velocity, actions: Tensor, valid: Tensor) -> Mean:
        times = training_times(len(actions), actions.device)
        at, wanted = noised(actions, torch.randn_like(actions), times)
        squared = ((velocity(at, times) - wanted) ** 2)[..., : self.shapes.action_dim]
        return mean_of(squared, valid[..., None].expand_as(squared))

    def predict(self, batch: Batch, seeds: list[int]) -> Tensor:
        encoded = self.encoder(batch)
        prefix, readable = self.prefix(encoded)
        velocity = partial(self.velocity, prefix, readable, encoded.state)
        shape = self.config.horizon, self.n_numbers
        found = sample_euler(velocity, shape, seeds, self.config.flow_steps, encoded.state.device)
        return self.scaling.out(found[..., : self.shapes.action_dim])

"""The decoder block of Llama (Touvron et al. 2023) and Gemma (Gemma Team 2024), alone or as several experts that share
attention layer by layer, as in pi0 (Black et al. 2024, section IV and appendix B).

RMS norm, rotary positions, grouped queries (Ainslie et al. 2023), gated MLP (Shazeer 2020); no dropout, no bias. Every
expert has its own width, norms, projections and MLP; queries, keys and values of all are joined along the sequence, so
heads and their size are common. What was computed for a prefix can be kept and read by later calls. Norms may be
modulated by a vector (pi0.5).

Deviation from the public implementations: attention is plain products in the dtype of the inputs, so that its weights
can be observed (`nn.blocks.Probabilities`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reverie.nn.blocks import Probabilities, gelu_tanh, may_read
from reverie.nn.rms_norm import AdaptiveRMSNorm, RMSNorm, gated
from reverie.nn.rotary import rotate, rotations


@dataclass(frozen=True)
class Expert:
    """One stream of tokens: its width, the width of its gated MLP, and the size of the vector that modulates its norms
    (0: plain norms)."""

    width: int
    hidden: int
    condition: int = 0


@dataclass(frozen=True)
class DecoderConfig:
    """What all experts share. family "llama": SiLU gates, norms scaled by w; "gemma": GELU (tanh) gates, norms scaled by
    1 + w."""

    depth: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    family: Literal["llama", "gemma"] = "gemma"
    rope_base: float = 10_000.0
    norm_eps: float = 1e-6

    def norm(self, expert: Expert) -> nn.Module:
        if expert.condition:
            return AdaptiveRMSNorm(expert.width, expert.condition, self.norm_eps)
        return RMSNorm(expert.width, self.norm_eps, 1.0 if self.family == "gemma" else 0.0)


GEMMA_2B, GEMMA_2B_EXPERT = DecoderConfig(18, 8, 1, 256), Expert(2048, 16_384)
"""Gemma 2B (Gemma Team 2024, table 1), the language model of PaliGemma."""
GEMMA_300M_EXPERT = Expert(1024, 4096)
"""pi0's action expert: depth and heads are those of Gemma 2B."""
LLAMA_7B, LLAMA_7B_EXPERT = DecoderConfig(32, 32, 32, 128, "llama", norm_eps=1e-5), Expert(4096, 11_008)
"""Llama 2 7B (Touvron et al. 2023), the language model of OpenVLA."""


class Prefix(NamedTuple):
    """Rotated keys and values of tokens computed before, one [B, kv heads, M, head_dim] per layer."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]


class GatedMLP(nn.Module):
    """down(activation(gate x) * up x)"""

    def __init__(self, expert: Expert, config: DecoderConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(expert.width, expert.hidden, bias=False)
        self.up = nn.Linear(expert.width, expert.hidden, bias=False)
        self.down = nn.Linear(expert.hidden, expert.width, bias=False)
        self.activation = gelu_tanh if config.family == "gemma" else F.silu

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.activation(self.gate(x)) * self.up(x))  # type: ignore[no-any-return]


class ExpertLayer(nn.Module):
    """What one expert owns of a layer: everything but the attention itself."""

    def __init__(self, expert: Expert, config: DecoderConfig) -> None:
        super().__init__()
        d, self.head_dim = expert.width, config.head_dim
        inner, kv = config.n_heads * config.head_dim, config.n_kv_heads * config.head_dim
        self.norm_attention, self.norm_mlp = config.norm(expert), config.norm(expert)
        self.q, self.out = nn.Linear(d, inner, bias=False), nn.Linear(inner, d, bias=False)
        self.k, self.v = nn.Linear(d, kv, bias=False), nn.Linear(d, kv, bias=False)
        self.mlp = GatedMLP(expert, config)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normed [B, N, d] -> queries [B, H, N, head_dim], keys and values [B, kv heads, N, head_dim]."""
        b, n = x.shape[:2]
        q, k, v = (p(x).view(b, n, -1, self.head_dim).transpose(1, 2) for p in (self.q, self.k, self.v))
        return q, k, v

    def finish(self, x: Tensor, mixed: Tensor, gate: Tensor | None, condition: Tensor | None) -> Tensor:
        """Attention's result [B, N, H head_dim] and the MLP, both added to x."""
        x = gated(x, self.out(mixed), gate)
        normed, gate = self.norm_mlp(x, condition)
        return gated(x, self.mlp(normed), gate)


Streams = Sequence[Tensor | None]
"""One entry per expert; None for one that has nothing to say in this call."""


class DecoderLayer(nn.Module):
    """One layer of all experts and the attention they share: the unit to shard or to recompute."""

    def __init__(self, experts: Sequence[Expert], config: DecoderConfig) -> None:
        super().__init__()
        self.experts = nn.ModuleList(ExpertLayer(e, config) for e in experts)
        self.repeats, self.probabilities = config.n_heads // config.n_kv_heads, Probabilities()

    def forward(
        self,
        streams: Streams,
        conditions: Streams,
        turns: tuple[Tensor, Tensor],
        mask: Tensor | None,
        before: tuple[Tensor, Tensor] | None,
    ) -> tuple[list[Tensor | None], Tensor, Tensor]:
        """-> the streams after the layer, and keys and values [B, kv heads, M, head_dim], those from `before` first."""
        told = list(zip(cast(Sequence[ExpertLayer], self.experts), streams, conditions, strict=True))
        present = [(expert, x, c) for expert, x, c in told if x is not None]
        normed = [expert.norm_attention(x, c) for expert, x, c in present]
        projected = [expert.project(x) for (expert, _, _), (x, _) in zip(present, normed, strict=True)]
        q, k, v = (torch.cat(part, dim=2) for part in zip(*projected, strict=True))
        q, k = rotate(q, turns), rotate(k, turns)
        if before is not None:
            k, v = torch.cat([before[0], k], dim=2), torch.cat([before[1], v], dim=2)
        mixed = iter(torch.split(self._attend(q, k, v, mask), [x.shape[1] for _, x, _ in present], dim=1))
        gates = iter([gate for _, gate in normed])
        after = [None if x is None else expert.finish(x, next(mixed), next(gates), c) for expert, x, c in told]
        return after, k, v

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """q [B, H, N, d], k and v [B, kv heads, M, d] -> [B, N, H d]"""
        k, v = k.repeat_interleave(self.repeats, dim=1), v.repeat_interleave(self.repeats, dim=1)
        weights = self.probabilities(q, k, mask).to(v.dtype)
        return (weights @ v).transpose(1, 2).flatten(2)  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """A stack of layers over one stream of embeddings per expert, with a last norm each."""

    def __init__(self, experts: Sequence[Expert], config: DecoderConfig) -> None:
        super().__init__()
        if config.n_heads % config.n_kv_heads or config.head_dim % 2:
            raise ValueError(f"{config.n_kv_heads} key heads must divide {config.n_heads}, and the head size be even")
        self.config = config
        self.layers = nn.ModuleList(DecoderLayer(experts, config) for _ in range(config.depth))
        self.norms = nn.ModuleList(config.norm(e) for e in experts)
        for name, linear in self.named_modules():
            if isinstance(linear, nn.Linear) and not name.endswith("modulation"):
                nn.init.normal_(linear.weight, std=linear.in_features**-0.5)

    def expert(self, e: int) -> list[nn.Module]:
        """What expert e owns, to freeze or to count."""
        return [*(layer.experts[e] for layer in cast(Sequence[DecoderLayer], self.layers)), self.norms[e]]

    def forward(
        self,
        streams: Streams,
        positions: Tensor,
        pairs: Tensor | None = None,
        conditions: Streams | None = None,
        prefix: Prefix | None = None,
    ) -> tuple[list[Tensor | None], Prefix]:
        """streams: [B, N_e, width_e] per expert, or None; N is the sum of those that are there.

        positions [B, N]; pairs [N, M] or [B, N, M] with the prefix first in M (None: everything reads everything);
        conditions: [B, c] for experts that have one. -> the streams after the last norm, and the prefix with this call's
        tokens behind it.
        """
        conditions = conditions or [None] * len(streams)
        turns = rotations(positions, self.config.head_dim, self.config.rope_base)
        mask, keys, values = may_read(None, pairs), [], []
        for i, layer in enumerate(self.layers):
            before = None if prefix is None else (prefix.keys[i], prefix.values[i])
            streams, k, v = layer(streams, conditions, turns, mask, before)
            keys.append(k)
            values.append(v)
        last = [None if x is None else n(x, c)[0] for n, x, c in zip(self.norms, streams, conditions, strict=True)]
        return last, Prefix(tuple(keys), tuple(values))

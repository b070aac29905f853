"""How instructions become tokens, as a value."""

from dataclasses import dataclass

from reverie.core import ReverieError

HUB = "hub:"
ENCODERS = ("minilm", "words", "scratch", "hub:NAME")


@dataclass(frozen=True)
class TextConfig:
    """`minilm`: all-MiniLM-L6-v2, frozen, hidden states of every token (384 numbers). `words`: hashed words, trained.
    `scratch`: hashed words and a small transformer of `depth` blocks over them, trained. `hub:NAME`: the encoder of that
    name or folder (T5, BERT, sentence encoders; see `nn.hub`), frozen, or fine-tuned where `trained`."""

    encoder: str = "minilm"
    max_tokens: int = 32
    n_buckets: int = 2048
    words_dim: int = 64
    depth: int = 2
    n_heads: int = 4
    trained: bool = False
    revision: str | None = None

    def __post_init__(self) -> None:
        if self.trained and not self.hub_name:
            raise ReverieError(
                f"text encoder {self.encoder!r} cannot be set to trained: 'words' and 'scratch' always are, and 'minilm' never; "
                "to fine-tune a pretrained encoder, give 'hub:NAME'"
            )

    @property
    def hub_name(self) -> str:
        """The name or folder behind `hub:`, or nothing."""
        return self.encoder.removeprefix(HUB) if self.encoder.startswith(HUB) else ""

    @property
    def dim(self) -> int:
        """Numbers of a token."""
        if self.hub_name:
            from reverie.nn.hub import text_width

            return text_width(self.hub_name, self.revision)
        return 384 if self.encoder == "minilm" else self.words_dim

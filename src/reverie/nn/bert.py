"""BERT's encoder (Devlin et al. 2019, "BERT", section 3; the post-LN transformer of Vaswani et al. 2017, section 3.1).

Not here: segment pairs (every token is of segment 0, as in single sentences), the pooler and the pretraining heads. The
tokenizer belongs to the weights: see `nn.text` and `nn.hub`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from reverie.nn.blocks import MLP, Attention
from reverie.nn.loading import load_translated


@dataclass(frozen=True)
class BertConfig:
    """The defaults are BERT-base, uncased. `dropout` acts on embeddings, attention probabilities and both branches."""

    vocab: int = 30522
    max_positions: int = 512
    dim: int = 768
    depth: int = 12
    n_heads: int = 12
    hidden: int = 3072
    dropout: float = 0.1
    norm_eps: float = 1e-12


MINILM_L6 = BertConfig(dim=384, depth=6, hidden=1536)
"""all-MiniLM-L6-v2 (Wang et al. 2020, "MiniLM"), the packaged sentence encoder: 22.6M without its pooler."""


class BertBlock(nn.Module):
    """norm(x + attention x), then norm(x + mlp x)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        c = config
        self.attention, self.mlp = Attention(c.dim, c.n_heads, dropout=c.dropout), MLP(c.dim, c.hidden, c.dim)
        self.norm_attention, self.norm_mlp = nn.LayerNorm(c.dim, c.norm_eps), nn.LayerNorm(c.dim, c.norm_eps)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.norm_attention(x + self.dropout(self.attention(x, mask)))
        return self.norm_mlp(x + self.dropout(self.mlp(x)))  # type: ignore[no-any-return]


class Bert(nn.Module):
    """Token ids [B, L] and where they are tokens, mask [B, L] -> hidden states [B, L, dim] of the last layer."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.words, self.positions = (
            nn.Embedding(config.vocab, config.dim),
            nn.Embedding(config.max_positions, config.dim),
        )
        self.segments = nn.Embedding(2, config.dim)
        self.norm, self.dropout = nn.LayerNorm(config.dim, config.norm_eps), nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(BertBlock(config) for _ in range(config.depth))
        for table in (self.words, self.positions, self.segments):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.words(ids) + self.positions.weight[: ids.shape[1]] + self.segments.weight[0]
        x = self.dropout(self.norm(x))
        for block in self.blocks:
            x = block(x, mask)
        return x  # type: ignore[no-any-return]


_LAYER = r"encoder\.layer\.(\d+)\."
_DIALECT = (
    (r"pooler\..*|embeddings\.position_ids|embeddings\.token_type_ids", None),
    (r"embeddings\.word_embeddings\.(.*)", r"words.\1"),
    (r"embeddings\.position_embeddings\.(.*)", r"positions.\1"),
    (r"embeddings\.token_type_embeddings\.(.*)", r"segments.\1"),
    (r"embeddings\.LayerNorm\.(.*)", r"norm.\1"),
    (_LAYER + r"attention\.self\.query\.(.*)", r"blocks.\1.attention.qkv[0].\2"),
    (_LAYER + r"attention\.self\.key\.(.*)", r"blocks.\1.attention.qkv[1].\2"),
    (_LAYER + r"attention\.self\.value\.(.*)", r"blocks.\1.attention.qkv[2].\2"),
    (_LAYER + r"attention\.output\.dense\.(.*)", r"blocks.\1.attention.out.\2"),
    (_LAYER + r"attention\.output\.LayerNorm\.(.*)", r"blocks.\1.norm_attention.\2"),
    (_LAYER + r"intermediate\.dense\.(.*)", r"blocks.\1.mlp.into.\2"),
    (_LAYER + r"output\.dense\.(.*)", r"blocks.\1.mlp.out.\2"),
    (_LAYER + r"output\.LayerNorm\.(.*)", r"blocks.\1.norm_mlp.\2"),
)


def load_bert(bert: Bert, state: Mapping[str, Tensor]) -> None:
    """The state dict of transformers' BertModel into a Bert of the same configuration. Errors: ReverieError where they
    do not fit."""
    named = {name.removeprefix("bert."): value for name, value in state.items()}
    load_translated(bert, named, _DIALECT, "transformers' BertModel")

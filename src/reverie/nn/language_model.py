"""What turns a decoder's expert into a language model: its vocabulary, and public weights for both."""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

from reverie.nn.decoder import ExpertStack
from reverie.nn.loading import load_translated


class Vocabulary(nn.Module):
    """Token ids [..., N] -> embeddings [..., N, width], times sqrt(width) in Gemma. `logits` reads the same table, as in
    Gemma; Llama's projection of its own is not here."""

    def __init__(self, size: int, width: int, family: Literal["llama", "gemma"] = "gemma") -> None:
        super().__init__()
        self.table, self.scale = nn.Embedding(size, width), width**0.5 if family == "gemma" else 1.0
        nn.init.normal_(self.table.weight, std=width**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        return self.table(ids) * self.scale  # type: ignore[no-any-return]

    def logits(self, hidden: Tensor) -> Tensor:
        """[..., width] -> [..., size]"""
        return hidden @ self.table.weight.t()


_LAYER = r"layers\.(\d+)\."
_DIALECT = (
    (r"embed_tokens\.weight", None),
    (_LAYER + r"self_attn\.([qkv])_proj\.weight", r"layers.\1.\2.weight"),
    (_LAYER + r"self_attn\.o_proj\.weight", r"layers.\1.out.weight"),
    (_LAYER + r"mlp\.(gate|up|down)_proj\.weight", r"layers.\1.mlp.\2.weight"),
    (_LAYER + r"input_layernorm\.weight", r"layers.\1.norm_attention.weight"),
    (_LAYER + r"post_attention_layernorm\.weight", r"layers.\1.norm_mlp.weight"),
    (r"norm\.weight", "norm.weight"),
)


def load_language_model(stack: ExpertStack, vocabulary: Vocabulary | None, state: Mapping[str, Tensor]) -> None:
    """The state dict of transformers' LlamaModel or GemmaModel into a stack with plain norms (`decoder.experts[e]`) and,
    unless it is None, a vocabulary. Errors: ReverieError where they do not fit."""
    what = "transformers' language model"
    load_translated(stack, state, _DIALECT, what)
    if vocabulary is not None:
        table = {name: value for name, value in state.items() if name == "embed_tokens.weight"}
        load_translated(vocabulary, table, ((r"embed_tokens\.weight", "table.weight"),), what)

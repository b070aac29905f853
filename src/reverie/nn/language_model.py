"""What turns a decoder's expert into a language model: its vocabulary, and public weights for both."""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

from reverie.nn.decoder import Decoder
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


def load_language_model(
    decoder: Decoder, expert: int, vocabulary: Vocabulary | None, state: Mapping[str, Tensor]
) -> None:
    """The state dict of transformers' LlamaModel or GemmaModel into one expert with plain norms and, unless it is None, a
    vocabulary. Errors: ReverieError where they do not fit."""
    what, table = "transformers' language model", r"embed_tokens\.weight"
    layer, ours = r"layers\.(\d+)\.", rf"layers.\1.experts.{expert}."
    dialect = (
        (table, None),
        (layer + r"self_attn\.([qkv])_proj\.weight", ours + r"\2.weight"),
        (layer + r"self_attn\.o_proj\.weight", ours + "out.weight"),
        (layer + r"mlp\.(gate|up|down)_proj\.weight", ours + r"mlp.\2.weight"),
        (layer + r"input_layernorm\.weight", ours + "norm_attention.weight"),
        (layer + r"post_attention_layernorm\.weight", ours + "norm_mlp.weight"),
        (r"norm\.weight", f"norms.{expert}.weight"),
    )
    load_translated(decoder, state, dialect, what, only=rf"layers\.\d+\.experts\.{expert}\..*|norms\.{expert}\..*")
    if vocabulary is not None:
        load_translated(vocabulary, state, ((table, "table.weight"), (r"(?:layers|norm)\..*", None)), what)

"""TokenLearner (Ryoo et al. 2021, "TokenLearner: What Can 8 Learned Tokens Do for Images and Videos?", in version 1.1 of its
public code, which RT-1 uses): many tokens become few, each a mean of all weighted by what the tokens themselves say."""

from torch import Tensor, nn

from reverie.nn.blocks import MLP


class TokenLearner(nn.Module):
    """Tokens [N, P, d] -> [N, n_tokens, d]. LayerNorm, MLP (`hidden` GELUs) to n_tokens maps, softmax over the P places,
    weighted mean of the tokens before the norm. The maps [N, n_tokens, P] leave the submodule `maps`."""

    def __init__(self, dim: int, n_tokens: int = 8, hidden: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm, self.score = nn.LayerNorm(dim, eps=1e-6), MLP(dim, hidden, n_tokens, dropout=dropout)
        self.maps = nn.Softmax(dim=-1)

    def forward(self, tokens: Tensor) -> Tensor:
        scores = self.score(self.norm(tokens)).transpose(1, 2)  # [N, n_tokens, P]
        return self.maps(scores).to(tokens.dtype) @ tokens  # type: ignore[no-any-return]

"""Every view has a say in where a named thing is, and a vote decides who is believed.

One regression from all views at once is precise where they agree. Where one of them looks at another thing (of the same
colour; the hand is in the way), it answers with a mean of both places, where nothing is. So each view also answers on its
own, and a mixture of experts (Jacobs et al. 1991, "Adaptive Mixtures of Local Experts", equation 1.1 with the absolute for
the squared error) learns which answers to believe from all views and from how far apart the answers are.
"""

import torch
from einops import rearrange
from torch import Tensor, nn

from reverie.nn.blocks import MLP

AGREE = 0.1
"""Answers as far apart as this (in units of the position scale) or less say the same thing."""


class Votes(nn.Module):
    """d: numbers that a view says of a slot; state_dim: of the robot, which says where a moving camera is."""

    def __init__(self, n_views: int, n_slots: int, d: int, state_dim: int, hidden: int) -> None:
        super().__init__()
        d_in = d + state_dim
        self.own_in = nn.Parameter(torch.randn(n_views, d_in, hidden) * d_in**-0.5)
        self.own_bias = nn.Parameter(torch.zeros(n_views, 1, hidden))
        self.own_out = nn.Parameter(torch.randn(n_views, hidden, 3) * hidden**-0.5)
        n_answers = n_views + 1
        self.gate = MLP(n_views * n_slots * d + state_dim + n_slots * n_views * 3, hidden, n_slots * n_answers)
        nn.init.zeros_(self.gate.out.weight)
        self.gate.out.bias.data = torch.tensor([2.0, *[0.0] * n_views]).repeat(
            n_slots
        )  # first the joint answer is believed

    def forward(self, said: Tensor, state: Tensor, joint: Tensor) -> tuple[Tensor, Tensor]:
        """said [B, V, S, d]; state [B, D]; joint [B, S, 3], the answer from all views -> answers [B, S, 1 + V, 3], the joint
        one first, and logits [B, S, 1 + V] of how much each is believed."""
        b, v, s = said.shape[:3]
        known = torch.cat([said, state[:, None, None].expand(b, v, s, -1).to(said.dtype)], dim=-1)
        by_view = rearrange(known, "b v s d -> v (b s) d")
        own = torch.bmm(torch.relu(torch.bmm(by_view, self.own_in.to(by_view.dtype)) + self.own_bias), self.own_out)
        answers = torch.cat([joint[:, :, None], rearrange(own.float(), "v (b s) c -> b s v c", b=b)], dim=2)
        apart = torch.tanh((answers[:, :, 1:] - joint[:, :, None]) / AGREE).detach()
        logits = self.gate(torch.cat([said.flatten(1), state, apart.flatten(1)], dim=-1))
        return answers, logits.float().view(b, s, v + 1)


def elected(answers: Tensor, logits: Tensor, scale: float) -> Tensor:
    """Answers [..., K, 3] in units of which `scale` make one of the position scale, and how much each is believed [..., K] -> [..., 3]: the mean of the one that is believed most and of
    those that say the same."""
    belief = logits.softmax(-1)
    first = belief.argmax(-1)[..., None, None].expand(*answers.shape[:-2], 1, 3)
    near = (answers - answers.gather(-2, first)).abs().amax(-1) <= AGREE * scale
    weights = (belief * near)[..., None]
    return (answers * weights).sum(-2) / weights.sum(-2)

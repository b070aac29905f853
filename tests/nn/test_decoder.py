"""The decoder against transformers' Llama and Gemma, experts against one stack, and a kept prefix against all at once."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import GemmaConfig, GemmaModel, LlamaConfig, LlamaModel

from reverie.core import ReverieError
from reverie.nn.decoder import Decoder, DecoderConfig, Expert
from reverie.nn.language_model import Vocabulary, load_language_model
from reverie.nn.masks import blockwise, causal, positions

_SIZES: dict[str, Any] = {"vocab_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2}
WIDE, NARROW = Expert(24, 40), Expert(16, 20)


def _theirs(family: str, expert: Expert, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    sizes = {**_SIZES, "hidden_size": expert.width, "intermediate_size": expert.hidden, "head_dim": 6}
    model: nn.Module = LlamaModel(LlamaConfig(**sizes)) if family == "llama" else GemmaModel(GemmaConfig(**sizes))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model.eval()


def _config(family: str = "gemma") -> DecoderConfig:
    return DecoderConfig(3, 4, 2, 6, family)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["llama", "gemma"])
def test_same_weights_same_hidden_states(family: str) -> None:
    theirs, ours = _theirs(family, WIDE), Decoder([WIDE], _config(family)).eval()
    words = Vocabulary(40, WIDE.width, family)  # type: ignore[arg-type]
    load_language_model(ours, 0, words, theirs.state_dict())
    ids, valid = torch.randint(1, 40, (2, 7)), torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    with torch.no_grad():
        found, _ = ours([words(ids)], positions(valid), causal(7) & valid[:, None])
        expected = theirs(input_ids=ids, attention_mask=valid.long(), position_ids=positions(valid)).last_hidden_state
    assert found[0] is not None
    torch.testing.assert_close(found[0][valid], expected[valid], atol=2e-5, rtol=2e-5)


def test_experts_with_equal_weights_are_one_stack() -> None:
    theirs = _theirs("gemma", WIDE)
    one, two = Decoder([WIDE], _config()), Decoder([WIDE, WIDE], _config())
    for decoder, expert in ((one, 0), (two, 0), (two, 1)):
        load_language_model(decoder, expert, None, theirs.state_dict())
    x, at, pairs = torch.randn(2, 9, 24), torch.arange(9)[None], causal(9)
    (joined,), _ = one([x], at, pairs)
    (first, second), _ = two([x[:, :5], x[:, 5:]], at, pairs)
    torch.testing.assert_close(torch.cat([first, second], dim=1), joined, atol=1e-5, rtol=1e-5)  # type: ignore[list-item]


def test_an_action_expert_reads_a_language_model_as_in_transformers() -> None:
    """Two Gemmas of different widths: the narrow one reads the wide one's cache, as in transformers' own pi0."""
    wide, narrow = _theirs("gemma", WIDE, 1), _theirs("gemma", NARROW, 2)
    ours = Decoder([WIDE, NARROW], _config()).eval()
    for expert, theirs in enumerate((wide, narrow)):
        load_language_model(ours, expert, None, theirs.state_dict())
    words, actions, at = torch.randn(2, 5, 24), torch.randn(2, 4, 16), torch.arange(9)[None].expand(2, -1)
    pairs = blockwise(torch.tensor([0] * 5 + [1] * 4))
    with torch.no_grad():
        cache = wide(inputs_embeds=words, attention_mask=_added(pairs[:5, :5]), use_cache=True)
        asked = {
            "position_ids": at[:, 5:],
            "attention_mask": _added(pairs[5:]),
            "past_key_values": cache.past_key_values,
        }
        expected = narrow(inputs_embeds=actions, **asked).last_hidden_state
        (said, done), _ = ours([words, actions], at, pairs)
    torch.testing.assert_close(said, cache.last_hidden_state, atol=2e-5, rtol=2e-5)
    torch.testing.assert_close(done, expected, atol=2e-5, rtol=2e-5)


def _added(pairs: Tensor) -> Tensor:
    """A boolean mask as transformers adds it to scores: [2, 1, N, M]."""
    return torch.zeros(pairs.shape).masked_fill(~pairs, torch.finfo(torch.float32).min).expand(2, 1, -1, -1)


def test_a_kept_prefix_is_the_whole_computation() -> None:
    torch.manual_seed(0)
    ours = Decoder([WIDE, NARROW], _config()).eval()
    words, state, actions = torch.randn(2, 5, 24), torch.randn(2, 1, 16), torch.randn(2, 4, 16)
    valid = torch.ones(2, 10, dtype=torch.bool)
    valid[1, 3:5] = False
    pairs = blockwise(torch.tensor([0] * 5 + [1] + [2] * 4)) & valid[:, None]
    at, late = positions(valid), torch.cat([state, actions], dim=1)
    (_, whole), _ = ours([words, late], at, pairs)
    (said, nothing), prefix = ours([words, None], at[:, :5], pairs[:, :5, :5])
    assert nothing is None
    assert said is not None
    assert said.shape == words.shape
    assert [k.shape for k in prefix.keys] == [(2, 2, 5, 6)] * 3
    (_, step), both = ours([None, late], at[:, 5:], pairs[:, 5:], prefix=prefix)
    assert both.keys[0].shape[2] == 10
    torch.testing.assert_close(step, whole, atol=1e-5, rtol=1e-5)


def test_nobody_reads_later_blocks_or_padding() -> None:
    ours, words = Decoder([WIDE], _config()), torch.randn(1, 6, 24)
    valid = torch.tensor([[True, True, False, True, True, True]])
    pairs, changed = blockwise(torch.tensor([0, 0, 0, 0, 1, 1])) & valid[:, None], words.clone()
    changed[:, [2, 4, 5]] += 1.0
    (before,), _ = ours([words], positions(valid), pairs)
    (after,), _ = ours([changed], positions(valid), pairs)
    same = (before - after).abs().amax(-1)[0] < 1e-6  # type: ignore[operator]
    assert same.tolist() == [True, True, False, True, False, False]


def test_adaptive_norms_start_closed_and_follow_their_condition() -> None:
    ours = Decoder([Expert(16, 20, condition=8)], _config())
    x, at, condition = torch.randn(2, 4, 16), torch.arange(4)[None], torch.randn(2, 8)
    (found,), _ = ours([x], at, conditions=[condition])
    torch.testing.assert_close(found, x / x.square().mean(-1, keepdim=True).sqrt(), atol=1e-4, rtol=1e-4)
    for norm in (m for n, m in ours.named_modules() if n.endswith("modulation")):
        nn.init.normal_(norm.weight, std=0.1)  # type: ignore[arg-type]
    (one,), _ = ours([x], at, conditions=[condition])
    (other,), _ = ours([x], at, conditions=[condition * torch.tensor([[1.0], [2.0]])])
    torch.testing.assert_close(one[0], other[0])  # type: ignore[index]
    assert (one[1] - other[1]).abs().max() > 1e-3  # type: ignore[index]
    with pytest.raises(ValueError, match=r"needs a condition \[B, 8\]"):
        ours([x], at)


def test_positions_matter_only_by_their_differences() -> None:
    ours, x = Decoder([WIDE], _config("llama")), torch.randn(1, 5, 24)
    (found,), _ = ours([x], torch.arange(5)[None])
    (shifted,), _ = ours([x], torch.arange(5)[None] + 11)
    (wider,), _ = ours([x], 3 * torch.arange(5)[None])
    torch.testing.assert_close(found, shifted, atol=1e-4, rtol=1e-4)
    assert (found - wider).abs().max() > 1e-3  # type: ignore[operator]


def test_logits_read_the_table() -> None:
    words = Vocabulary(7, 16)
    assert words.logits(words.table.weight[3]).shape == (7,)
    torch.testing.assert_close(words(torch.tensor([3])), 4 * words.table.weight[3:4])


def test_weights_that_do_not_fit_are_named() -> None:
    state = _theirs("llama", WIDE).state_dict()
    with pytest.raises(ReverieError, match=r"missing \['layers.3.experts.0"):
        load_language_model(Decoder([WIDE], DecoderConfig(4, 4, 2, 6)), 0, None, state)
    with pytest.raises(ReverieError, match="of another shape"):
        load_language_model(Decoder([WIDE, NARROW], _config()), 1, None, state)


def test_an_expert_is_frozen_alone() -> None:
    ours = Decoder([WIDE, NARROW], _config())
    for module in ours.expert(0):
        module.requires_grad_(False)
    learned = {n for n, p in ours.named_parameters() if p.requires_grad}
    assert all("experts.1." in n or n == "norms.1.weight" for n in learned)
    assert len(learned) == 3 * 9 + 1

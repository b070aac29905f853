"""Blocks against PyTorch's own, heat-maps against points, and text that is read the same alone and in company."""

import pytest
import torch
from torch import nn

from reverie.nn.blocks import Attention, CrossAttention, CrossBlock, Probabilities, Transformer
from reverie.nn.convolution import FilmedConv
from reverie.nn.glimpse import crops
from reverie.nn.heatmaps import cell_centers, expected_point, heatmap_loss, splat
from reverie.nn.text import HashedWords, TextConfig, build_text


def test_attention_agrees_with_torch() -> None:
    ours, theirs = Attention(16, 4), nn.MultiheadAttention(16, 4, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.in_proj_bias.copy_(ours.qkv.bias)
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    x, mask = torch.randn(2, 5, 16), torch.tensor([[True] * 5, [True, True, False, True, False]])
    expected, _ = theirs(x, x, x, key_padding_mask=~mask)
    torch.testing.assert_close(ours(x, mask), expected, atol=1e-5, rtol=1e-5)


def test_masked_tokens_change_nothing() -> None:
    trunk, x = Transformer(16, 2, 4), torch.randn(1, 6, 16)
    mask = torch.tensor([[True] * 4 + [False] * 2])
    torch.testing.assert_close(trunk(x, mask)[:, :4], trunk(x[:, :4]), atol=1e-5, rtol=1e-5)


def test_pairs_say_who_reads_whom() -> None:
    ours, x = Attention(16, 4, head_dim=6), torch.randn(2, 5, 16)
    mask, causal = torch.tensor([[True] * 5, [True] * 4 + [False]]), torch.ones(5, 5, dtype=torch.bool).tril()
    by_row = causal.expand(2, -1, -1).clone()
    by_row[1] &= mask[1]
    torch.testing.assert_close(ours(x, mask, causal), ours(x, pairs=by_row))
    for n in range(1, 4):
        torch.testing.assert_close(
            ours(x, pairs=causal)[:, :n], ours(x[:, :n], pairs=causal[:n, :n]), atol=1e-5, rtol=1e-5
        )


def test_every_attention_map_can_be_hooked() -> None:
    trunk, x, seen = Transformer(16, 2, 4), torch.randn(1, 6, 16), []
    mask = torch.tensor([[True] * 4 + [False] * 2])
    found = [m for m in trunk.modules() if isinstance(m, Probabilities)]
    hooks = [m.register_forward_hook(lambda module, inputs, weights: seen.append(weights)) for m in found]
    with_hooks = trunk(x, mask)
    for hook in hooks:
        hook.remove()
    assert [w.shape for w in seen] == [(1, 4, 6, 6)] * 2
    for weights in seen:
        torch.testing.assert_close(weights.sum(-1), torch.ones(1, 4, 6))
        assert (weights[..., 4:] == 0).all()
    torch.testing.assert_close(trunk(x, mask), with_hooks, atol=0, rtol=0)
    assert not any("probabilities" in name for name in trunk.state_dict())


def test_cross_attention_agrees_with_torch() -> None:
    ours, theirs = (
        CrossAttention(16, 4, memory_dim=12),
        nn.MultiheadAttention(16, 4, kdim=12, vdim=12, batch_first=True),
    )
    with torch.no_grad():
        for name, linear in (("q", ours.q), ("k", ours.k), ("v", ours.v)):
            getattr(theirs, f"{name}_proj_weight").copy_(linear.weight)
        theirs.in_proj_bias.copy_(torch.cat([ours.q.bias, ours.k.bias, ours.v.bias]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    x, keys, values = torch.randn(2, 3, 16), torch.randn(2, 5, 12), torch.randn(2, 5, 12)
    mask, pairs = (
        torch.tensor([[True] * 5, [True, True, False, True, False]]),
        torch.ones(3, 5, dtype=torch.bool).tril(1),
    )
    expected, _ = theirs(x, keys, values, key_padding_mask=~mask, attn_mask=~pairs)
    torch.testing.assert_close(ours(x, keys, mask, pairs, values), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours(x, keys, mask), ours(x, keys, mask, values=keys))


def test_a_cross_block_agrees_with_torchs_decoder_layer() -> None:
    ours = CrossBlock(16, 4, mlp_ratio=2)
    theirs = nn.TransformerDecoderLayer(16, 4, 32, 0.0, "gelu", batch_first=True, norm_first=True)
    c, s = ours.cross, ours.attention
    pairs = {
        "self_attn.in_proj_weight": s.qkv.weight, "self_attn.in_proj_bias": s.qkv.bias,
        "self_attn.out_proj.weight": s.out.weight, "self_attn.out_proj.bias": s.out.bias,
        "multihead_attn.in_proj_weight": torch.cat([c.q.weight, c.k.weight, c.v.weight]),
        "multihead_attn.in_proj_bias": torch.cat([c.q.bias, c.k.bias, c.v.bias]),
        "multihead_attn.out_proj.weight": c.out.weight, "multihead_attn.out_proj.bias": c.out.bias,
        "linear1.weight": ours.mlp.into.weight, "linear1.bias": ours.mlp.into.bias,
        "linear2.weight": ours.mlp.out.weight, "linear2.bias": ours.mlp.out.bias,
    }  # fmt: skip
    theirs.load_state_dict(theirs.state_dict() | pairs)
    x, memory, causal = torch.randn(2, 4, 16), torch.randn(2, 6, 16), torch.ones(4, 4, dtype=torch.bool).tril()
    expected = theirs(x, memory, tgt_mask=~causal)
    torch.testing.assert_close(ours(x, memory, pairs=causal), expected, atol=1e-5, rtol=1e-5)


def test_dropout_acts_in_training_only() -> None:
    trunk, x = Transformer(16, 2, 4, dropout=0.5), torch.randn(1, 6, 16)
    assert not torch.equal(trunk.train()(x), trunk(x))
    torch.testing.assert_close(trunk.eval()(x), trunk(x), atol=0, rtol=0)


def test_film_starts_near_the_convolution_alone() -> None:
    block, x = FilmedConv(3, 8, condition_dim=4), torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(block(x, torch.zeros(2, 4)), block.conv(x).relu())


@pytest.mark.parametrize("point", [(0.5, 0.5), (0.31, 0.72), (0.2, 0.2)])
def test_a_splat_points_at_its_point(point: tuple[float, float]) -> None:
    wanted = torch.tensor([point])
    target = splat(wanted, torch.ones(1), 6, 8)
    found, presence = expected_point(target, cell_centers(6, 8))
    torch.testing.assert_close(found, wanted)
    assert presence.item() == pytest.approx(1)


def test_outside_goes_to_the_last_cell() -> None:
    target = splat(torch.tensor([[0.4, 0.4]]), torch.zeros(1), 4, 4)
    assert target[0, -1] == 1
    assert target[0, :-1].sum() == 0


def test_border_points_stay_a_distribution() -> None:
    target = splat(torch.tensor([[0.0, 0.999], [1.0, 0.0]]), torch.ones(2), 4, 4)
    torch.testing.assert_close(target.sum(-1), torch.ones(2))
    assert (target >= 0).all()


def test_the_best_map_is_the_target_itself() -> None:
    point, inside = torch.tensor([[0.3, 0.6]]), torch.ones(1, dtype=torch.bool)
    target = splat(point, inside.float(), 4, 4)
    best = heatmap_loss(target.clamp_min(1e-9).log(), point, inside, (4, 4))
    assert best < heatmap_loss(torch.randn(1, 17), point, inside, (4, 4))


@pytest.mark.parametrize("encoder", ["minilm", "words"])
def test_a_sentence_does_not_depend_on_its_neighbours(encoder: str) -> None:
    text = build_text(TextConfig(encoder))
    sentences = ["put the red brick in the bowl", "lift it"]
    tokens, mask = text(sentences)
    alone, alone_mask = build_text(TextConfig(encoder))(sentences[1:]) if encoder == "minilm" else text(sentences[1:])
    assert tokens.shape[-1] == TextConfig(encoder).dim
    assert mask.sum(1).tolist()[0] > mask.sum(1).tolist()[1] == alone_mask.sum().item()
    torch.testing.assert_close(tokens[1:, : alone.shape[1]], alone, atol=2e-3, rtol=0)


def test_the_packaged_encoder_knows_paraphrases() -> None:
    text = build_text(TextConfig())
    tokens, mask = text(["put the cup on the plate", "place the mug on the dish", "the weather is cold in winter"])
    mean = nn.functional.normalize((tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=-1)
    like, unlike = mean[0] @ mean[1], mean[0] @ mean[2]
    assert like > unlike + 0.3


def test_the_table_of_sentences_is_kept(tmp_path: object) -> None:
    from pathlib import Path

    from reverie.nn.text import FrozenSentences

    assert isinstance(tmp_path, Path)
    first, second = FrozenSentences(TextConfig()), FrozenSentences(TextConfig())
    first.prepare(["go left", "go right now"])
    first.write(tmp_path)
    second.read(tmp_path)
    assert second.known == first.known
    torch.testing.assert_close(second(["go left"])[0], first(["go left"])[0], atol=0, rtol=0)


def test_words_are_told_apart_and_trained() -> None:
    text = HashedWords(TextConfig("words"))
    tokens, _ = text(["red cube", "blue cube"])
    assert not torch.equal(tokens[0, 1], tokens[1, 1])
    torch.testing.assert_close(tokens[0, 2], tokens[1, 2])
    tokens.sum().backward()
    assert text.embed.weight.grad is not None


def test_a_crop_is_the_part_of_the_picture() -> None:
    picture = torch.rand(1, 16, 24, 3)
    point = torch.tensor([[[10 / 24, 6 / 16], [0.0, 0.0]]])  # between pixels 9 and 10, rows 5 and 6
    seen = crops(picture, point, 4)
    torch.testing.assert_close(seen[0, 0].permute(1, 2, 0), picture[0, 4:8, 8:12])
    assert (seen[0, 1, :, :2] == 0).all()

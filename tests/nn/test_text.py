"""Text encoders other than the packaged one: from scratch, and from the hub, frozen or fine-tuned."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from reverie.core import ReverieError
from reverie.nn.text import FrozenSentences, TextConfig, build_text

_WORDS = ["<pad>", "<unk>", "</s>", "put", "the", "red", "blue", "brick", "in", "bowl", "lift", "it"]
_SENTENCES = ["put the red brick in the bowl", "lift it"]


def _saved(folder: Path, kind: str) -> Any:
    """A random encoder and a tokenizer of words, as the hub would have them."""
    torch.manual_seed(0)
    if kind == "t5":
        sizes = {"vocab_size": 12, "d_model": 16, "d_kv": 8, "d_ff": 20, "num_layers": 2, "num_heads": 2}
        model: Any = transformers.T5EncoderModel(transformers.T5Config(**sizes, dropout_rate=0.0))
    else:
        sizes = {"vocab_size": 12, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
        model = transformers.BertModel(transformers.BertConfig(**sizes, intermediate_size=20))
    model.eval().save_pretrained(folder)
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(_WORDS)}, "<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 2)])
    special = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", ["t5", "bert"])
@pytest.mark.parametrize("trained", [False, True])
def test_tokens_are_the_models_own(kind: str, trained: bool, tmp_path: Path) -> None:
    model = _saved(tmp_path, kind)
    config = TextConfig(f"hub:{tmp_path}", trained=trained)
    tokens, mask = build_text(config).eval()(_SENTENCES)
    assert tokens.shape == (2, 8, config.dim)
    assert mask.sum(1).tolist() == [8, 3]
    with torch.no_grad():
        expected = model(input_ids=torch.tensor([[10, 11, 2]])).last_hidden_state
    torch.testing.assert_close(tokens[1:, :3], expected, atol=2e-3, rtol=2e-3)
    assert tokens.requires_grad == trained


def test_frozen_weights_are_not_in_checkpoints_and_trained_ones_are(tmp_path: Path) -> None:
    _saved(tmp_path, "t5")
    frozen, trained = (build_text(TextConfig(f"hub:{tmp_path}", trained=t)) for t in (False, True))
    assert not frozen.state_dict()
    assert len({v.data_ptr() for v in trained.state_dict().values()}) == len(trained.state_dict()) > 0
    trained(_SENTENCES)[0].square().sum().backward()
    assert all(p.grad is not None for p in trained.parameters())


def test_the_table_of_a_hub_encoder_is_kept_under_its_weights(tmp_path: Path) -> None:
    _saved(tmp_path / "a", "t5")
    _saved(tmp_path / "b", "bert")
    tables = tmp_path / "tables"
    tables.mkdir()
    first, again, other = (FrozenSentences(TextConfig(f"hub:{tmp_path / n}")) for n in "aab")
    first.prepare(_SENTENCES)
    first.write(tables)
    again.read(tables)
    other.read(tables)
    assert again.known == set(_SENTENCES)
    assert not other.known
    torch.testing.assert_close(again(_SENTENCES)[0], first(_SENTENCES)[0], atol=0, rtol=0)


@pytest.mark.parametrize("encoder", ["words", "scratch"])
def test_a_row_does_not_depend_on_its_batch(encoder: str) -> None:
    text = build_text(TextConfig(encoder)).eval()
    tokens, mask = text(_SENTENCES)
    alone, alone_mask = text(_SENTENCES[1:])
    assert mask.sum(1).tolist()[1] == alone_mask.sum().item()
    torch.testing.assert_close(tokens[1:, : alone.shape[1]], alone, atol=1e-5, rtol=1e-5)


def test_from_scratch_the_order_of_words_is_learned() -> None:
    text = build_text(TextConfig("scratch", words_dim=32, depth=1)).eval()
    tokens, mask = text(["red in blue", "blue in red"])
    mean = (tokens * mask[..., None]).sum(1)
    assert (mean[0] - mean[1]).abs().max() > 1e-3
    tokens.sum().backward()
    assert all(p.grad is not None for p in text.parameters())


@pytest.mark.parametrize("config", [
    TextConfig(), TextConfig("words"), TextConfig("scratch"),
    TextConfig("hub:google-t5/t5-base", max_tokens=16), TextConfig("hub:google-bert/bert-base-uncased", trained=True),
])  # fmt: skip
def test_on_the_meta_device_nothing_is_read(config: TextConfig) -> None:
    with torch.device("meta"):
        tokens, mask = build_text(config)(_SENTENCES)
    assert tokens.is_meta
    assert mask.is_meta
    assert tokens.shape == (*mask.shape, config.dim)


def test_wrong_configurations_are_explained() -> None:
    with pytest.raises(ReverieError, match=r"unknown text encoder 'word'.*'words'"):
        build_text(TextConfig("word"))
    with pytest.raises(ReverieError, match="'minilm' cannot be set to trained"):
        TextConfig(trained=True)

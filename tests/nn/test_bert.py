"""BERT against transformers' own, with random weights and with the packaged sentence encoder's."""

import pytest
import torch
from torch import nn
from transformers import BertConfig as TheirConfig
from transformers import BertModel

from reverie.core import ReverieError
from reverie.nn.bert import MINILM_L6, Bert, BertConfig, load_bert
from reverie.nn.text import _minilm

SMALL = BertConfig(vocab=50, max_positions=20, dim=24, depth=2, n_heads=4, hidden=40)


def _theirs() -> nn.Module:
    sizes = {"vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 40, "max_position_embeddings": 20}
    torch.manual_seed(0)
    model = BertModel(TheirConfig(**sizes)).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def test_same_weights_same_hidden_states() -> None:
    theirs, ours = _theirs(), Bert(SMALL).eval()
    load_bert(ours, theirs.state_dict())
    ids, mask = torch.randint(0, 50, (3, 9)), torch.arange(9)[None] < torch.tensor([9, 4, 1])[:, None]
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        torch.testing.assert_close(ours(ids, mask)[mask], expected[mask], atol=1e-5, rtol=1e-5)


def test_the_packaged_sentence_encoder() -> None:
    tokenizer, theirs = _minilm()
    ours = Bert(MINILM_L6).eval()
    load_bert(ours, theirs.state_dict())
    sentences = ["put the red brick in the bowl", "lift it", "the weather is cold in winter, they say"]
    tokens = tokenizer(sentences, padding=True, return_tensors="pt")
    mask = tokens["attention_mask"].bool()
    with torch.no_grad():
        expected = theirs(**tokens).last_hidden_state
        torch.testing.assert_close(ours(tokens["input_ids"], mask)[mask], expected[mask], atol=1e-5, rtol=1e-5)


def test_padding_changes_nothing() -> None:
    bert, ids = Bert(SMALL).eval(), torch.randint(0, 50, (1, 6))
    mask = torch.tensor([[True] * 4 + [False] * 2])
    torch.testing.assert_close(bert(ids, mask)[:, :4], bert(ids[:, :4]), atol=1e-5, rtol=1e-5)


def test_weights_of_another_size_are_refused() -> None:
    with pytest.raises(ReverieError, match=r"of another shape.*words.weight has \(50, 24\)"):
        load_bert(Bert(BertConfig(60, 20, 24, 2, 4, 40)), _theirs().state_dict())

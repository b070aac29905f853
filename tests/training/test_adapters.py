"""LoRA and freezing: what is to stay does, what is saved computes the same without adapters, and a kill changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from reverie.checkpoints import load, weights_hash
from reverie.core import ReverieError
from reverie.nn.blocks import Transformer
from reverie.training.adapters import Lora, adapt, merged
from reverie.training.averaging import Average
from reverie.training.behaviour_cloning import Demonstrations
from reverie.training.fakes import fake_cache
from reverie.training.fit import PolicyRecipe, fit_policy
from reverie.training.freezing import freeze, frozen_modules
from reverie.training.optimisation import decayed

from .test_trainer import stopping_at
from .tiny import recipe

LORA = Lora(rank=2, alpha=8.0, dropout=0.1, targets=("trunk.*", "*.key", "*.query", "head.out"))


def _bert() -> BertModel:
    return BertModel(BertConfig(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32))  # fmt: skip


def _disturbed(model: nn.Module) -> nn.Module:
    """As if the adapters had been trained."""
    for name, weight in model.named_parameters():
        if ".lora_B" in name:
            nn.init.normal_(weight, std=0.2)
    return model.eval()


def test_merged_weights_compute_what_adapters_do() -> None:
    torch.manual_seed(0)
    for build, x in ((lambda: Transformer(16, 2, 2), torch.randn(3, 5, 16)), (_bert, torch.randint(0, 40, (3, 5)))):
        plain, adapted = build().eval(), build()
        adapted.load_state_dict(plain.state_dict())
        names = set(plain.state_dict())
        adapt(adapted, replace(LORA, targets=("*",)))
        out = lambda model, x=x: model(x) if isinstance(model, Transformer) else model(x).last_hidden_state  # noqa: E731
        torch.testing.assert_close(out(adapted.eval()), out(plain))  # at first they change nothing
        _disturbed(adapted)
        assert (out(adapted) - out(plain)).abs().max() > 0.05
        whole = merged(adapted, adapted.state_dict())
        assert set(whole) == names
        plain.load_state_dict(whole)
        torch.testing.assert_close(out(adapted), out(plain), rtol=1e-5, atol=1e-5)


def test_adapters_train_beside_what_is_not_frozen() -> None:
    model = _bert()
    freeze(model, ("embeddings", "encoder.layer.0"))
    adapt(model, Lora(rank=4, targets=("encoder.*.query",)))
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert {n.split(".lora_")[0] for n in trained if "lora_" in n} == {f"encoder.layer.{i}.attention.self.query" for i in (0, 1)}  # fmt: skip
    assert "encoder.layer.1.attention.self.key.weight" in trained
    assert not any(n.startswith("embeddings") or "base_layer" in n for n in trained)
    assert not any("layer.0" in n and "lora_" not in n for n in trained)


def test_frozen_weights_take_no_memory_and_their_modules_do_not_drop_out() -> None:
    model = _bert()
    freeze(model, ("embeddings",))
    taken = {id(p) for group in decayed(model, 0.1) for p in group["params"]}
    assert taken.isdisjoint(id(p) for p in model.embeddings.parameters())
    assert not any(k.startswith("embeddings.") and not k.endswith("_ids") for k in Average(model, 0.9).weights)
    quiet = {id(m) for m in frozen_modules(model)}
    assert id(model.embeddings) in quiet
    assert id(model) not in quiet
    freeze(model, ("all",))
    assert id(model) in {id(m) for m in frozen_modules(model)}


def test_fused_attention_is_left_alone() -> None:
    model = nn.ModuleDict({"fused": nn.MultiheadAttention(8, 2), "own": nn.Linear(8, 8)})
    adapt(model, Lora(rank=2))
    assert {n.split(".lora_")[0] for n, p in model.named_parameters() if "lora_" in n} == {"own"}


def test_names_that_fit_nothing() -> None:
    with pytest.raises(ReverieError, match=r"no module 'backbon'; it has embeddings"):
        freeze(_bert(), ("backbon",))
    with pytest.raises(ReverieError, match=r"fit no linear layer; the model has encoder\.layer\.0"):
        adapt(_bert(), Lora(rank=2, targets=("nothing.*",)))


def _fine_tuning(start: Path) -> PolicyRecipe:
    return replace(recipe(48, state_every=16), start=start, freeze=("all",), lora=LORA)


def test_only_adapters_change_and_the_checkpoint_is_an_ordinary_one(tmp_path: Path) -> None:
    cache = fake_cache(12)
    fit_policy(cache, recipe(16), tmp_path / "start", quiet=True)
    fit_policy(cache, _fine_tuning(tmp_path / "start"), tmp_path / "tuned", quiet=True)
    before, after = load(tmp_path / "start"), load(tmp_path / "tuned")
    assert before.weights.keys() == after.weights.keys()
    changed = {k for k, v in after.weights.items() if not torch.equal(v, before.weights[k])}
    assert {"head.out.weight", "encoder.backbone.query.weight"} <= changed
    assert all(k.startswith(("trunk.", "head.", "encoder.backbone.key", "encoder.backbone.query")) and k.endswith("weight") for k in changed)  # fmt: skip
    assert after.receipt["lora"]["rank"] == 2
    assert after.receipt["freeze"] == ["all"]


def test_a_killed_fine_tuning_ends_with_the_same_bits(tmp_path: Path) -> None:
    cache, start = fake_cache(12), tmp_path / "start"
    fit_policy(cache, recipe(16), start, quiet=True)
    fit_policy(cache, _fine_tuning(start), tmp_path / "whole", quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Demonstrations, "batch", stopping_at(3, Demonstrations.batch))
        with pytest.raises(KeyboardInterrupt):
            fit_policy(cache, _fine_tuning(start), tmp_path / "parts", quiet=True)
    with pytest.raises(ReverieError, match="which weights train"):
        fit_policy(cache, replace(_fine_tuning(start), freeze=()), tmp_path / "parts", quiet=True)
    fit_policy(cache, _fine_tuning(start), tmp_path / "parts", quiet=True)
    assert weights_hash(load(tmp_path / "parts").weights) == weights_hash(load(tmp_path / "whole").weights)

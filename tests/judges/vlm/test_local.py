"""A model of transformers in this process: tiny random weights, saved here as a folder that loads by its path."""

import json

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from reverie.core import ReverieError
from reverie.core.fakes import tiny_episode
from reverie.evaluation.resolve import load_judge
from reverie.judges.vlm.local import LocalModel, messages_of
from reverie.judges.vlm.question import question_of

ANSWER = '{"level":4,"picture":2}'
TEMPLATE = (
    "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}"
    "{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %}>{% endif %}"
)


def processor() -> LlavaProcessor:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {c: i for i, c in enumerate(["<pad>", "<s>", "</s>", "<image>", *alphabet])}
    tokens = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokens.pre_tokenizer, tokens.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return LlavaProcessor(
        CLIPImageProcessorPil(size={"height": 28, "width": 28}, crop_size={"height": 28, "width": 28}),
        PreTrainedTokenizerFast(tokenizer_object=tokens, additional_special_tokens=["<image>"], **special),
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    )


def model() -> LlavaForConditionalGeneration:
    torch.manual_seed(0)
    small = {"intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    seen = CLIPVisionConfig(hidden_size=16, image_size=28, patch_size=14, projection_dim=16, **small)
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    said = LlamaConfig(vocab_size=260, hidden_size=32, max_position_embeddings=4096, **small, **ends)
    return LlavaForConditionalGeneration(
        LlavaConfig(vision_config=seen.to_dict(), text_config=said.to_dict(), image_token_index=3)
    )


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vlm") / "tiny"
    model().save_pretrained(folder)
    processor().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def taught_folder(tmp_path_factory):
    """The same weights after a few steps on the one answer."""
    folder, read, taught = tmp_path_factory.mktemp("vlm") / "taught", processor(), model()
    question = question_of(tiny_episode(), 2, 28)
    asked = read.apply_chat_template(
        messages_of(question), add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    answer = read.tokenizer(ANSWER, return_tensors="pt")["input_ids"]
    answer = torch.cat([answer, torch.tensor([[2]])], dim=1)
    ids = torch.cat([asked["input_ids"], answer], dim=1)
    labels = torch.cat([torch.full_like(asked["input_ids"], -100), answer], dim=1)
    optimiser = torch.optim.AdamW(taught.parameters(), lr=5e-3)
    for _ in range(80):
        loss = taught(input_ids=ids, pixel_values=asked["pixel_values"], labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    taught.save_pretrained(folder)
    read.save_pretrained(folder)
    return folder


def test_random_weights_say_nothing_that_can_be_read_and_are_not_scored(random_folder):
    judge = load_judge(f"vlm:{random_folder}?votes=2&frames=2&least_px=28&max_tokens=8")
    (found,) = judge.judge([tiny_episode()])
    assert (found.judge, found.success, found.scored) == ("vlm:tiny", None, False)
    assert "2 of 2 answers cannot be read" in found.reason


def test_a_model_that_answers_in_form_is_read(taught_folder):
    judge = load_judge(f"vlm:{taught_folder}?votes=1&frames=2&least_px=28&temperature=0&max_tokens=40")
    (found,) = judge.judge([tiny_episode()])
    assert (found.success, found.progress) == (True, 1.0)
    assert found.success_time_s == float(tiny_episode().observations.time_s[-1])


def test_words_are_drawn_by_the_seed_and_disturb_no_other_draws(random_folder):
    speaker = LocalModel(str(random_folder), temperature=5.0, max_tokens=12)
    question = question_of(tiny_episode(), 2, 28)
    assert speaker.say(question, 1) == speaker.say(question, 1)
    assert speaker.say(question, 1) != speaker.say(question, 2)
    before = torch.random.get_rng_state().clone()
    speaker.say(question, 3)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_version_follows_the_weights(random_folder, taught_folder):
    assert load_judge(f"vlm:{random_folder}").version != load_judge(f"vlm:{taught_folder}").version


def test_a_folder_that_is_no_model_is_named(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llava"}))
    with pytest.raises(ReverieError, match=str(tmp_path)):
        load_judge(f"vlm:{tmp_path}").judge([tiny_episode()])

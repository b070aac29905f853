"""A model in this process: any image-text-to-text model of transformers, by its folder or by name in the hub's cache.

Only safetensors, and no code that comes with the weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from PIL import Image

from reverie.judges.vlm.question import MalformedAnswer, Picture, Question
from reverie.nn.hub import reached, version, without_progress


@dataclass
class LocalModel:
    """path: a folder with config.json, *.safetensors and the processor's files, or a name. It is loaded with the first
    question. temperature 0: the likeliest words, whatever the seed."""

    path: str
    temperature: float = 0.5
    max_tokens: int = 400
    parallel: int = field(default=1, init=False)

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def about(self) -> Mapping[str, Any]:
        asked = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {"kind": "local model", "model": self.name, "weights": version(self.path), **asked}

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """Processor and model; on the accelerator where there is one."""
        from transformers import AutoModelForImageTextToText, AutoProcessor

        with without_progress():
            read: Any = AutoProcessor.from_pretrained
            processor = reached(lambda: read(self.path), self.path)
            load: Any = AutoModelForImageTextToText.from_pretrained
            model = reached(lambda: load(self.path, use_safetensors=True, dtype="auto"), self.path)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return processor, model.eval().to(device)

    @torch.inference_mode()
    def say(self, question: Question, seed: int) -> str:
        processor, model = self._loaded
        inputs = processor.apply_chat_template(
            messages_of(question), add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        ).to(model.device)
        with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
            torch.manual_seed(seed)
            said = model.generate(**inputs, max_new_tokens=self.max_tokens, **self._sampling())
        text = processor.batch_decode(said[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)[0]
        if not text.strip():
            raise MalformedAnswer("an answer without text")
        return str(text)

    def _sampling(self) -> dict[str, Any]:
        if not self.temperature:
            return {"do_sample": False}
        return {"do_sample": True, "temperature": self.temperature}


def messages_of(question: Question) -> list[dict[str, Any]]:
    """As chat templates take them."""
    return [{"role": "user", "content": [_part(p) for p in question.parts]}]


def _part(part: str | Picture) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image", "image": Image.fromarray(part)}

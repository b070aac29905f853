"""A model behind an OpenAI-compatible chat endpoint: one POST per vote, with a time limit, retries and backoff.

What another try may cure (no connection, 429, 5xx, an answer cut short) is tried again; what it cannot (401, an unknown
model) is an error at once. Redirects are refused: they would carry the key to another host.
"""

import base64
import http.client
import io
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from reverie.core import ReverieError
from reverie.judges.vlm.answers import quoted
from reverie.judges.vlm.question import MalformedAnswer, Picture, Question, Unreachable

MAX_BYTES = 1_000_000
PASSING = (408, 409, 425, 429)
HOPELESS = (301, 302, 303, 307, 308, 401, 403, 404, 405)
LONGEST_WAIT_S = 30.0


class _Passing(Exception):
    """Another try may do. wait_s: what the server asked for."""

    def __init__(self, what: str, wait_s: float | None = None) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True)
class ChatEndpoint:
    """url: the base, such as http://host:8000/v1. key_variable: the environment variable with the API key, read when it is
    needed and never stored; unset means none. timeout_s: for one whole answer. backoff_s: the first wait; it doubles."""

    url: str
    name: str
    temperature: float = 0.5
    max_tokens: int = 400
    timeout_s: float = 120.0
    tries: int = 4
    backoff_s: float = 1.0
    parallel: int = 4
    key_variable: str = "REVERIE_VLM_KEY"

    @property
    def about(self) -> Mapping[str, Any]:
        asked = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {"kind": "chat endpoint", "url": self.url, "model": self.name, **asked}

    def say(self, question: Question, seed: int) -> str:
        """Ask; wait and ask again while that may help."""
        body = json.dumps(self._body(question, seed)).encode()
        for attempt in range(1, self.tries + 1):
            try:
                return content_of(self._post(body))
            except _Passing as error:
                if attempt == self.tries:
                    raise self._given_up(error) from None
                time.sleep(self._wait_s(attempt, error.wait_s))
        raise AssertionError("tries is at least 1")

    def _given_up(self, last: "_Passing") -> Exception:
        if isinstance(last, _Garbled):
            return MalformedAnswer(str(last))
        return Unreachable(
            f"{self.url}: {last}, {self.tries} times; start it or wait, then give the same command again"
        )

    def _wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Half to all of a doubling wait, so that many callers do not come back at once; at least what was asked for."""
        wait_s = self.backoff_s * 2.0 ** (attempt - 1) * (0.5 + random.random() / 2)
        return min(max(wait_s, asked_s or 0.0), LONGEST_WAIT_S)

    def _body(self, question: Question, seed: int) -> dict[str, Any]:
        content = [
            {"type": "text", "text": part}
            if isinstance(part, str)
            else {"type": "image_url", "image_url": {"url": data_url(part)}}
            for part in question.parts
        ]
        sampling = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": seed}
        return {"model": self.name, "messages": [{"role": "user", "content": content}], **sampling}

    def _post(self, body: bytes) -> bytes:
        request = urllib.request.Request(f"{self.url}/chat/completions", body, {"Content-Type": "application/json"})
        key = os.environ.get(self.key_variable, "")
        if key:
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.build_opener(_NoRedirects()).open(request, timeout=self.timeout_s) as response:
                return _read(response, time.monotonic() + self.timeout_s)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise _Passing(f"no answer ({_words(error)})") from None

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        said = f"the server said {error.code} {quoted(error.read(2000).decode(errors='replace'))}"
        if error.code in PASSING or error.code >= 500:
            return _Passing(said, _seconds(error.headers.get("Retry-After")))
        if error.code in HOPELESS:
            advice = f"check the URL, the model {self.name!r} and the key in the variable {self.key_variable}"
            return ReverieError(f"{self.url}: {said}; {advice}")
        return MalformedAnswer(said)


class _Garbled(_Passing):
    """An answer that is not of this protocol; if it stays so, that is what the model says."""


def _read(response: Any, until: float) -> bytes:
    """The whole body, unless it comes too slowly, is cut short or never ends."""
    pieces, n_bytes = [], 0
    while piece := response.read1(65536):
        pieces.append(piece)
        n_bytes += len(piece)
        if time.monotonic() > until:
            raise TimeoutError("the answer came too slowly")
        if n_bytes > MAX_BYTES:
            raise _Garbled(f"an answer of more than {MAX_BYTES} bytes")
    if response.length:  # read1 does not complain of a body that is shorter than announced
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


def content_of(body: bytes) -> str:
    """The text of a chat completion. Errors: MalformedAnswer for a refusal; another kind where the form is not that of the
    protocol."""
    try:
        message = json.loads(body)["choices"][0]["message"]
        content, refusal = message.get("content"), message.get("refusal")
    except (ValueError, LookupError, TypeError, AttributeError):
        raise _Garbled(f"not a chat completion: {quoted(body.decode(errors='replace'))}") from None
    if not isinstance(content, str) or not content.strip():
        raise MalformedAnswer(f"the model refused: {quoted(str(refusal))}" if refusal else "an answer without text")
    return content


def data_url(picture: Picture) -> str:
    """uint8 [H, W, 3] as a PNG inside a URL."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _seconds(text: str | None) -> float | None:
    """Of a Retry-After in seconds; dates are not read."""
    return float(text) if text is not None and text.strip().isdigit() else None


def _words(error: Exception) -> str:
    return str(getattr(error, "reason", "") or error) or type(error).__name__

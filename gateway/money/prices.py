"""What a model call costs, or may cost at worst. Pure."""

import json
import math
from collections.abc import Sequence

from gateway.contracts.money import Amount
from gateway.contracts.provider import ModelRequest
from gateway.settings import AgentSettings, Price
from gateway.transcript import TEXT_LIMIT, Entry, FileBlock, Usage, UserEntry, entry_text, is_text

_IMAGE_TOKENS = 3_000
_DOCUMENT_BYTES_A_TOKEN = 20
_TEXT_BYTES_A_TOKEN = 2
"""No language is written in so few; only noise is."""
_TEXT_BYTES = 4 * TEXT_LIMIT
"""Of a text file, what is shown at most."""


def micros_of(price: Price | None, usage: Usage) -> int:
    """Return the cost in millionths: prices are for a million tokens."""
    if price is None:
        return 0
    cached, written = usage.cache_read_tokens, usage.cache_write_tokens
    plain = max(usage.input_tokens - cached - written, 0)
    return math.ceil(
        plain * price.input
        + cached * (price.input if price.cached is None else price.cached)
        + written * (price.input if price.cache_write is None else price.cache_write)
        + usage.output_tokens * price.output
    )


def worst_of(
    settings: AgentSettings, models: Sequence[str], requests: Sequence[ModelRequest]
) -> Amount:
    """Return the most that the requests may cost, whichever of the models answers."""
    input_tokens = sum(map(most_input_tokens, requests))
    output = len(requests) * settings.max_output_tokens
    prices = [settings.prices[model] for model in models if model in settings.prices]
    micros = [
        math.ceil(
            input_tokens * max(price.input, price.cached or 0.0, price.cache_write or 0.0)
            + output * price.output
        )
        for price in prices
    ]
    return Amount(input_tokens + output, max(micros, default=0))


def most_input_tokens(request: ModelRequest) -> int:
    """Estimate a prompt's tokens so that it has hardly ever more."""
    tools = json.dumps([(tool.name, tool.description, tool.parameters) for tool in request.tools])
    return sum(map(_most_of_entry, request.entries), most_of_text(request.system + tools))


def most_of_text(text: str) -> int:
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / _TEXT_BYTES_A_TOKEN)


def _most_of_entry(entry: Entry) -> int:
    tokens = most_of_text(entry_text(entry)) + 10
    if isinstance(entry, UserEntry) and not isinstance(entry.content, str):
        files = (block for block in entry.content if isinstance(block, FileBlock))
        tokens += sum(map(_most_of_file, files))
    return tokens


def _most_of_file(file: FileBlock) -> int:
    if is_text(file):  # looked at first: it may be called a picture as well
        return _IMAGE_TOKENS + min(file.size, _TEXT_BYTES) // _TEXT_BYTES_A_TOKEN
    if file.mime.startswith("image/"):
        return _IMAGE_TOKENS
    return _IMAGE_TOKENS + file.size // _DOCUMENT_BYTES_A_TOKEN

"""A message as the model is to read it: words, what they answer, and files."""

from collections.abc import Sequence

from gateway.contracts.inbox import Heard
from gateway.messages import Message
from gateway.transcript import Block, Content, HeardBlock, TextBlock, quoted


def compose(message: Message, files: tuple[Block, ...]) -> Content:
    """Join a message's words, quote and files; plain text stays a plain string."""
    text = "\n\n".join(part for part in (_context(message), message.text) if part)
    if not files:
        return text
    return (TextBlock(text), *files) if text else files


def preceded(content: Content, heard: Sequence[Heard]) -> Content:
    """Put before a message what was said meanwhile, each word with who said it."""
    if not heard:
        return content
    said = (HeardBlock(one.author, one.speaker, one.text) for one in heard)
    return (*said, *((TextBlock(content),) if isinstance(content, str) else content))


def _context(message: Message) -> str:
    if message.quote is not None:
        whose = "your message" if message.quote.is_ours else f"a message by {message.quote.author}"
        return f"[In answer to {whose}:]\n{quoted(message.quote.text)}"
    if message.forwarded_from is not None:
        return f"[Forwarded from {message.forwarded_from}:]"
    return ""

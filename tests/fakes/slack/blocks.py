"""Block Kit, checked as the real server checks it, and as people read it.

Facts: https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.text import decoded, read_markdown, read_mrkdwn

MARKDOWN = 12_000
MARKDOWN_IN_ALL = 13_200
"""Measured by others, not documented."""
IN_MESSAGE, IN_VIEW = 50, 100
_TEXT, _HEADER, _BUTTON, _VALUE, _URL, _ID = 3_000, 150, 75, 2_000, 3_000, 255
_IN_ACTIONS, _IN_CONTEXT, _FIELDS, _FIELD = 25, 10, 10, 2_000
_ROWS, _COLUMNS = 100, 20
_STATUSES = ("pending", "in_progress", "complete", "error")
_EVERY = frozenset({"type", "block_id"})
_KEYS = {
    "section": "text fields accessory expand",
    "markdown": "text",
    "divider": "",
    "header": "text level",
    "context": "elements",
    "actions": "elements",
    "image": "image_url slack_file alt_text title",
    "rich_text": "elements",
    "table": "rows column_settings",
    "task_card": "task_id title status details output sources",
    "plan": "title tasks plan_id",
    "context_actions": "elements",
}
_UNCHECKED = frozenset({
    *("input", "file", "video", "call", "alert", "card", "carousel", "container"),
    *("data_table", "data_visualization"),
})
_BUTTON_KEYS = frozenset([
    "type",
    "text",
    "action_id",
    "url",
    "value",
    "style",
    "confirm",
    "accessibility_label",
    "agent_prompt",
])

Block = dict[str, Any]


class _Checks:
    """Gathers what is wrong with a list of blocks."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self._ids: set[tuple[str, str]] = set()

    def no(self, words: str, where: str) -> None:
        self.wrong.append(f"[ERROR] {words} [json-pointer:{where}]")

    def block(self, block: Any, where: str) -> None:
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            self.no("must be an object with a type", where)
            return
        kind = block["type"]
        self.identity(block, "block_id", where)
        if kind in _UNCHECKED:
            return
        if kind not in _KEYS:
            self.no(f"unsupported type: {kind}", f"{where}/type")
            return
        for name in block.keys() - _EVERY - set(_KEYS[kind].split()):
            self.no(f"invalid additional property: {name}", where)
        check = _OF_KIND.get(kind)
        if check is not None:
            check(self, block, where)

    def identity(self, value: dict[str, Any], name: str, where: str) -> None:
        given = value.get(name)
        if given is None:
            return
        if not isinstance(given, str) or not 1 <= len(given) <= _ID:
            self.no(f"must be less than {_ID + 1} characters", f"{where}/{name}")
        elif (name, given) in self._ids:
            self.no(f'`{name}`: "{given}" already exists', f"{where}/{name}")
        self._ids.add((name, str(given)))

    def words(self, value: Any, at_most: int, where: str) -> None:
        if not isinstance(value, str):
            self.no("must be a string", where)
        elif not value:
            self.no("must be more than 0 characters", where)
        elif len(value) > at_most:
            self.no(f"must be less than {at_most + 1} characters", where)

    def text(self, value: Any, at_most: int, where: str, *kinds: str) -> None:
        """Check a text object of one of these kinds."""
        if not isinstance(value, dict) or value.get("type") not in kinds:
            self.no(f"must be a text object of type {' or '.join(kinds)}", where)
            return
        for name in value.keys() - {"type", "text", "emoji", "verbatim"}:
            self.no(f"invalid additional property: {name}", where)
        self.words(value.get("text"), at_most, f"{where}/text")

    def items(self, value: Any, at_most: int, where: str) -> Iterator[tuple[str, Any]]:
        if not isinstance(value, list) or not value:
            self.no("must be an array of at least 1 item", where)
        elif len(value) > at_most:
            self.no(f"no more than {at_most} items allowed", where)
        else:
            yield from ((f"{where}/{number}", item) for number, item in enumerate(value))

    def element(self, value: Any, where: str) -> None:
        """Check an interactive element; of buttons everything, of others the identity."""
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            self.no("must be an object with a type", where)
            return
        self.identity(value, "action_id", where)
        if value["type"] != "button":
            return
        for name in value.keys() - _BUTTON_KEYS:
            self.no(f"invalid additional property: {name}", where)
        self.text(value.get("text"), _BUTTON, f"{where}/text", "plain_text")
        if "value" in value:
            self.words(value["value"], _VALUE, f"{where}/value")
        if "url" in value:
            self.words(value["url"], _URL, f"{where}/url")
        if value.get("style") not in {None, "primary", "danger"}:
            self.no("must be primary or danger", f"{where}/style")


def _section(checks: _Checks, block: Block, where: str) -> None:
    if "text" not in block and "fields" not in block:
        checks.no("missing required field: text", where)
    if "text" in block:
        checks.text(block["text"], _TEXT, f"{where}/text", "mrkdwn", "plain_text")
    if "fields" in block:
        for at, item in checks.items(block["fields"], _FIELDS, f"{where}/fields"):
            checks.text(item, _FIELD, at, "mrkdwn", "plain_text")
    if "accessory" in block:
        checks.element(block["accessory"], f"{where}/accessory")


def _markdown(checks: _Checks, block: Block, where: str) -> None:
    checks.words(block.get("text"), MARKDOWN, f"{where}/text")


def _header(checks: _Checks, block: Block, where: str) -> None:
    checks.text(block.get("text"), _HEADER, f"{where}/text", "plain_text")


def _context(checks: _Checks, block: Block, where: str) -> None:
    for at, item in checks.items(block.get("elements"), _IN_CONTEXT, f"{where}/elements"):
        if not isinstance(item, dict) or item.get("type") != "image":
            checks.text(item, _TEXT, at, "mrkdwn", "plain_text")


def _actions(checks: _Checks, block: Block, where: str) -> None:
    for at, item in checks.items(block.get("elements"), _IN_ACTIONS, f"{where}/elements"):
        checks.element(item, at)


def _image(checks: _Checks, block: Block, where: str) -> None:
    if ("image_url" in block) == ("slack_file" in block):
        checks.no("exactly one of image_url and slack_file", where)
    checks.words(block.get("alt_text"), _VALUE, f"{where}/alt_text")


def _rich_text(checks: _Checks, block: Block, where: str) -> None:
    for at, item in checks.items(block.get("elements"), 1_000, f"{where}/elements"):
        if not isinstance(item, dict) or not str(item.get("type")).startswith("rich_text_"):
            checks.no("must be a rich text element", at)


def _table(checks: _Checks, block: Block, where: str) -> None:
    for at, row in checks.items(block.get("rows"), _ROWS, f"{where}/rows"):
        for _ in checks.items(row, _COLUMNS, at):
            pass


def _task_card(checks: _Checks, block: Block, where: str) -> None:
    checks.words(block.get("task_id"), _ID, f"{where}/task_id")
    checks.words(block.get("title"), _TEXT, f"{where}/title")
    if block.get("status") not in {None, *_STATUSES}:
        checks.no(f"must be one of {', '.join(_STATUSES)}", f"{where}/status")


_OF_KIND: dict[str, Callable[[_Checks, Block, str], None]] = {
    "section": _section,
    "markdown": _markdown,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "rich_text": _rich_text,
    "table": _table,
    "task_card": _task_card,
}


def checked_blocks(value: Any, *, at_most: int = IN_MESSAGE) -> list[Block]:
    """Return the blocks, or refuse them with a word about each fault."""
    if not isinstance(value, list):
        raise Refusal("invalid_blocks_format")
    checks = _Checks()
    if len(value) > at_most:
        checks.no(f"no more than {at_most} items allowed", "/blocks")
    for number, block in enumerate(value):
        checks.block(block, f"/blocks/{number}")
    if sum(isinstance(one, dict) and one.get("type") == "table" for one in value) > 1:
        checks.no("only one table block is allowed", "/blocks")
    if checks.wrong:
        raise Refusal("invalid_blocks", tuple(checks.wrong))
    check_sum(value)
    return value


def check_sum(blocks: Iterable[Block]) -> None:
    """Refuse more Markdown than one message takes, over all its blocks."""
    if sum(len(one["text"]) for one in blocks if one["type"] == "markdown") > MARKDOWN_IN_ALL:
        raise Refusal("msg_blocks_too_long")


def texts_of(blocks: Iterable[Block]) -> Iterator[tuple[str, bool]]:
    """Yield every text in blocks as it was sent, and whether it is Markdown."""
    for block in blocks:
        yield from _texts(block, is_markdown=block["type"] == "markdown")


def _texts(value: Any, *, is_markdown: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(value, dict):
        if value.get("type") == "broadcast":
            yield f"<!{value.get('range')}>", False
        for name, item in value.items():
            if name in {"text", "title"} and isinstance(item, str):
                yield item, is_markdown
            elif not isinstance(item, str):
                yield from _texts(item, is_markdown=is_markdown)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, is_markdown=is_markdown)


def buttons_of(blocks: Iterable[Block]) -> list[tuple[Block, Block]]:
    """Return each button with its block, as they stand in the message."""
    found = []
    for block in blocks:
        elements = [*(block.get("elements") or []), block.get("accessory")]
        found += [
            (element, block)
            for element in elements
            if isinstance(element, dict) and element.get("type") == "button"
        ]
    return found


def read_blocks(blocks: Iterable[Block]) -> str:
    """Return what a person reads in them, buttons left out."""
    return "\n".join(words for words in map(_read, blocks) if words)


def _read(block: Block) -> str:
    lines: list[str] = []
    match block["type"]:
        case "markdown":
            lines = [read_markdown(block["text"])]
        case "section":
            texts = [block.get("text"), *(block.get("fields") or [])]
            lines = [_object(one) for one in texts if one]
        case "header":
            lines = [_object(block["text"])]
        case "context":
            texts = [one for one in block["elements"] if one["type"] != "image"]
            lines = [" ".join(map(_object, texts))]
        case "rich_text":
            lines = list(map(_rich, block["elements"]))
        case "table":
            lines = [" | ".join(map(_rich, row)) for row in block["rows"]]
    return "\n".join(lines)


def _object(text: Block) -> str:
    words: str = text["text"]
    return read_mrkdwn(words) if text["type"] == "mrkdwn" else decoded(words)


def _rich(element: Any) -> str:
    """Read a rich text element or a table's cell."""
    if not isinstance(element, dict):
        return ""
    for name, sign in (("text", ""), ("url", ""), ("user_id", "@"), ("channel_id", "#")):
        if isinstance(element.get(name), str):
            return sign + decoded(element[name])
    if element.get("type") == "broadcast":
        return f"@{element['range']}"
    if element.get("type") == "emoji":
        points = str(element.get("unicode") or "")
        return "".join(chr(int(one, 16)) for one in points.split("-") if one)
    return "".join(map(_rich, element.get("elements") or []))

"""How StackStorm matches a line of a chat with an alias's format (st2common/models/utils/action_alias_utils.py).

Kept: pairs ``key=value`` at the end of the line are parameters of their own, the values quoted, in braces, or a word;
the rest has to be the whole format, which is a regular expression but for its ``{{ name }}``, each of which takes as
little text as it can. Left out: names with a default, and a format that matches several times in a line.
"""

from __future__ import annotations

import re
from typing import Dict, Tuple

from st2common.exceptions.content import ParseException

_VALUE = r"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>\{.+?\}|\S+))"""
_LAST_PAIR = re.compile(r"(?:^|\s+)(?P<key>\S+?)\s*=" + _VALUE + r"\s*$", re.DOTALL)
_NAME = re.compile(r"{{\s*(\w+)\s*}}")
_TEXT = r"""["']?(?P<\1>(?<=')[^']+(?=')|(?<=")[^"]+(?=")|\{.+?\}|.+?)["']?"""


def extract_parameters(format_str: str, param_stream: str, match_multiple: bool = False) -> Dict[str, str]:
    """The parameters in a line that has this format. Raises ParseException for one that has not."""
    rest, pairs = _cut_pairs(param_stream)
    match = re.search(r"^\s*" + _NAME.sub(_TEXT, format_str) + r"\s*$", f" {rest} ", re.DOTALL)
    if match is None:
        raise ParseException(f'"{param_stream}" does not have the format "{format_str}"')
    return {**match.groupdict(), **pairs}


def _cut_pairs(line: str) -> Tuple[str, Dict[str, str]]:
    pairs: Dict[str, str] = {}
    match = _LAST_PAIR.search(line)
    while match is not None:
        value = next(text for text in match.group("double", "single", "bare") if text is not None)
        pairs.setdefault(match.group("key"), value)
        line = line[: match.start()]
        match = _LAST_PAIR.search(line)
    return line, pairs

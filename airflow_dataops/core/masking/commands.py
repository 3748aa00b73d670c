"""Secrets that have their place in commands, statements and settings of known programs.

Each pattern has one group, which stays. Lengths are bounded, so that a search is linear.
"""

from __future__ import annotations

import re

from airflow_dataops.core.masking.tokens import MASK

_VALUE = r"(?:'[^'\n]{1,512}'|\"[^\"\n]{1,512}\")"
_PLACES = tuple(
    (word, re.compile(pattern, re.IGNORECASE))
    for word, pattern in (
        ("jdbc:oracle:", r"(jdbc:oracle:\w{1,16}:[^\s/@]{1,128}/)[^\s@]{1,256}(?=@)"),
        ("sqlplus", r"(\bsqlplus\s{1,8}(?:-\w\s{1,8})?[^\s/@]{1,128}/)[^\s@]{1,256}(?=@)"),
        ("-u", r"(\s(?:-u|--user)[ =]\s{0,8}[\"']?[^\s:\"']{1,128}:)[^\s\"']{1,512}"),
        ("login", r"(\blogin\s{1,8}\S{1,128}\s{1,8}password\s{1,8})\S{1,512}"),
        ("sshpass", r"(\bsshpass\s{1,8}-p\s{0,8})\S{1,512}"),
        ("mysql", r"(\bmysql(?:dump|admin)?\s(?:[^\n]{0,128}?\s)?-(?-i:p))[^\s\-]\S{0,255}"),
        ("login", r"(\b(?:docker|podman) login\s[^\n]{0,128}?-(?-i:p)\s{1,8})[^\s\-]\S{0,255}"),
        ("redis-cli", r"(\bredis-cli\s(?:[^\n]{0,128}?\s)?-(?-i:a)\s{1,8})[^\s\-]\S{0,255}"),
        ("sqlcmd", r"(\bsqlcmd\s(?:[^\n]{0,128}?\s)?-(?-i:P)\s{1,8})[^\s\-]\S{0,255}"),
        ("pass:", r"(-pass(?:in|out)?\s{1,8}pass:)\S{1,512}"),
        (
            "add_parquet_key",
            r"(add_parquet_key\s{0,8}\(\s{0,8}'[^'\n]{0,128}'\s{0,8},\s{0,8})'[^'\n]{1,512}'",
        ),
        ("pragma", rf"(\bpragma\s{{1,8}}(?:hex|re)?key\s{{0,8}}=\s{{0,8}}){_VALUE}"),
        ("password", rf"(\bset\s{{1,8}}password\s{{1,8}}for\s[^=\n]{{1,256}}=\s{{0,8}}){_VALUE}"),
        ("password", rf"(\bpassword\s{{1,8}}(?:is|was|md5|hash)\s{{1,8}}){_VALUE}"),
        (
            "fs.azure.",
            r"(\bfs\.azure\.(?:account\.key|sas)\.[\w.\-]{1,256}\s{0,8}[=:]\s{0,8})\S{1,512}",
        ),
        (
            "<name>",
            r"(<name>[^<\n]{0,128}(?:password|secret|token|key)</name>\s{0,64}<value>)[^<]{1,512}",
        ),
    )
)
"""With a word, in lower case, without which a text need not be searched for them."""
_PAIR = re.compile(r"(\bauth ?[=:] ?[(\[] ?[\"'][^\"'\n]{1,128}[\"'], ?)([\"'])[^\"'\n]{1,512}\2")


def mask_commands(text: str) -> str:
    """Return the text without what stands where known programs have a secret."""
    lower = text.lower()
    for word, place in _PLACES:
        if word in lower:
            text = place.sub(rf"\1{MASK}", text)
    return _PAIR.sub(rf"\1{MASK}", text) if "auth" in lower else text

"""The last defence of every log: what looks like a secret leaves it, wherever it came from.

No code of ours puts a secret or a signed URL into a message; libraries may.
"""

import re

_HIDDEN = "(hidden)"
_RULES = (  # compiled where the first line is written, by re itself: hardly any command writes one
    # https://user:pass@host/path?X-Amz-Signature=…#… keeps scheme, host and path alone.
    (r"(?i)\b([a-z][a-z0-9+.-]{1,15}://)[^\s/@'\"<>]{0,1024}@", rf"\1{_HIDDEN}@"),
    (r"(?i)(\b[a-z][a-z0-9+.-]{1,15}://[^\s?#'\"<>]{0,4096})[?#][^\s'\"<>]*", rf"\1?{_HIDDEN}"),
    # The same without a host: a Location, or a request line as urllib3 logs it.
    (r"(?i)(\blocation['\"]?\s*[:=,]\s*b?['\"]?[^\s?'\"]{0,4096})\?[^\s'\"]*", rf"\1?{_HIDDEN}"),
    (r"(\b(?:GET|HEAD|PUT|POST|DELETE|PATCH) /[^\s?]{0,4096})\?\S*", rf"\1?{_HIDDEN}"),
    (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", _HIDDEN),
    # Headers as lines, and as the pairs of bytes that httpcore logs.
    (r"(?i)\b((?:proxy-)?authorization['\"]?\s*[:=]\s*)[^\r\n]+", rf"\1{_HIDDEN}"),
    (r"(?i)\b((?:set-)?cookie['\"]?\s*[:=]\s*)[^\r\n]+", rf"\1{_HIDDEN}"),
    (
        (
            r"(?i)(['\"](?:proxy-authorization|authorization|(?:set-)?cookie|[\w-]{0,64}(?:token|api-key))['\"]\s*,\s*)"
            r"b?(?:'[^']*'|\"[^\"]*\")"
        ),
        rf"\1'{_HIDDEN}'",
    ),
    (
        r"(?i)\b(bearer|basic|targettoken|gatewaytoken|sdk-hmac-sha256)\s+[A-Za-z0-9._~+/=-]{4,}",
        rf"\1 {_HIDDEN}",
    ),
    (
        (
            r"(?i)([\w-]{0,64}(?:token|passw(?:or)?d|secret|secret[_-]?key|access[_-]?key|api[_-]?key|signature)['\"]?\s*[:=]\s*)"
            r"(?:b?'[^']*'|b?\"[^\"]*\"|[^\s,;&'\"(]+)"
        ),
        rf"\1{_HIDDEN}",
    ),
)


def redacted(text: str) -> str:
    """Return *text* without URL queries, user names in URLs, tokens, passwords and private keys."""
    for pattern, replacement in _RULES:
        text = re.sub(pattern, replacement, text)
    return text

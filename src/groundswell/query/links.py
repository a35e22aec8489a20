"""Which links lead to a site: one pattern for every engine (RE2, Java, Python)."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=1024)
def domain_pattern(domain: str) -> str:
    """A pattern that finds itself in a lower-case link to `domain` or to a part of it.

    >>> found = re.compile(domain_pattern("nike.com")).search
    >>> [bool(found(link)) for link in ("https://www.nike.com/x", "nike.com", "https://notnike.com", "https://a.b/nike.com")]
    [True, True, False, False]
    """
    host = re.sub(r"[^\w]", lambda sign: f"[{sign[0]}]" if sign[0] in ".+" else f"\\{sign[0]}", domain)
    return rf"^([a-z][a-z0-9+.-]*:)?(//)?([^/?#@]*@)?([^/?#:@]*[.])?{host}([:/?#]|$)"

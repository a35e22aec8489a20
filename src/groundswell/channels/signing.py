"""Signatures of webhooks, after the specification of Standard Webhooks (standardwebhooks.com, version 1).

What is signed is `id.timestamp.body` with HMAC-SHA256; the headers are `webhook-id`, `webhook-timestamp` (seconds) and
`webhook-signature` (`v1,` and the signature in base64). Libraries for receivers exist in most languages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from groundswell.errors import UnavailableError

#: A receiver that follows the specification refuses what is older or younger than this, seconds.
TOLERANCE_S: Final = 300
_PREFIX: Final = "whsec_"


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: base64 behind `whsec_`, else the text's own bytes.

    >>> key_of("whsec_aGVsbG8="), key_of("hello")
    (b'hello', b'hello')

    Raises:
        UnavailableError: what is behind `whsec_` is not base64. The secret is not repeated.
    """
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        what = "the signing secret is not base64 behind whsec_"
        raise UnavailableError(what, hint="copy it again, or use a secret of your own without whsec_") from error


def sign(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """The value of the header `webhook-signature`; `timestamp` in seconds since 1970 UTC.

    >>> secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    >>> sign(secret, message, 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> bool:
    """Whether a request was made by somebody who knows the secret, within the last minutes: what a receiver does.

    `headers` by their lower-case names.
    """
    message, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    expected = sign(secret, message, int(timestamp), body)
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected.encode(), each.encode()) for each in given)

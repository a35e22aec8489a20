"""Which addresses may be reached: public ones only, decided where the connection is made.

A name may lead to a public address when it is looked at and to one of this network a moment later. So the address that
was looked at is the one that is connected to; the certificate is still that of the name.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from groundswell.errors import UsageError

_HERE: Final = (".localhost", ".local", ".internal")


def check_host(scheme: str, host: str, port: int, *, private: bool) -> None:
    """Make sure that `host` may be reached, before anything is sent.

    Raises:
        UsageError: one of its addresses is not public, and `private` does not allow that.
        OSError: the name is not known.
    """
    if private:
        return
    if _literal(host) is None and is_proxied(scheme, host):
        if host == "localhost" or host.endswith(_HERE):
            raise _private(host)
        return  # the proxy looks the name up, and decides what may be reached
    addresses_of(host, port, private=False)


def addresses_of(host: str, port: int, *, private: bool) -> list[str]:
    """The addresses of a host, each once, in the order in which the system prefers them.

    Raises:
        UsageError: one of them is not public, and `private` does not allow that.
        OSError: the name is not known.
    """
    literal = _literal(host)
    if literal is not None:
        found = [literal]
    else:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(entry[4][0]) for entry in known))
    if not private:
        refused = next((address for address in found if not is_public(address)), None)
        if refused is not None:
            raise _private(refused)
    return found


def is_public(address: str) -> bool:
    """Whether an address is one of the public network.

    >>> [is_public(a) for a in ("93.184.215.14", "10.0.0.1", "::ffff:127.0.0.1", "fe80::1%eth0", "224.0.0.1")]
    [True, False, False, False, False]
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    known = parsed if mapped is None else mapped
    return known.is_global and not known.is_multicast


def is_proxied(scheme: str, host: str) -> bool:
    """Whether the environment sends requests to this host through a proxy."""
    proxies = getproxies()
    return bool(proxies.get(scheme) or proxies.get("all")) and not proxy_bypass(host)


def shown(url: str) -> str:
    """An address without the password that it may hold.

    >>> shown("https://me:secret@example.org/x")
    'https://example.org/x'
    """
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def connect(host: str, port: int, *, private: bool, timeout: float) -> socket.socket:
    """A TCP connection to the first address of `host` that answers within `timeout` seconds.

    Raises:
        UsageError: one of its addresses is not public, and `private` does not allow that.
        OSError: the name is not known, or nobody answers.
    """
    failure: OSError = ConnectionError("no address")
    for address in addresses_of(host, port, private=private):
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    raise failure


def client_for(url: str, *, private: bool, timeout: httpx.Timeout, total_s: float | None = None) -> httpx.Client:
    """A client for requests to the host of `url` that follows no redirect by itself.

    Where the environment names a proxy for that host, the proxy is asked. `total_s` limits the whole exchange, however
    slowly the other side drips.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_proxied(parts.scheme, host):
        return httpx.Client(timeout=timeout, follow_redirects=False)
    until = None if total_s is None else time.monotonic() + total_s
    return httpx.Client(transport=_Transport(_Backend(private, until)), timeout=timeout, follow_redirects=False)


class _Transport(httpx.HTTPTransport):
    """httpx over connections that the guard makes."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        super().__init__(verify=_certificates())
        self._pool = httpcore.ConnectionPool(ssl_context=_certificates(), network_backend=backend)


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    # Reading all of them takes longer than a request.
    return httpx.create_ssl_context()


class _Backend(httpcore.SyncBackend):
    """Connects to addresses that were checked, and to no other."""

    def __init__(self, private: bool, until: float | None) -> None:
        self._private = private
        self._until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        try:
            found = addresses_of(host, port, private=self._private)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in found:
            try:
                left = _left(self._until, timeout)
                stream = super().connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Timed(stream, self._until)
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        what = "a socket of this machine is not an address of the web"
        raise UsageError(what, where=path)


class _Timed(httpcore.NetworkStream):
    """A connection of which everything together ends at a time (of the monotonic clock)."""

    def __init__(self, stream: httpcore.NetworkStream, until: float | None) -> None:
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._until, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._until, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._until, timeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float | None, timeout: float | None) -> float | None:
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        what = "the whole exchange took too long"
        raise httpcore.ReadTimeout(what)
    return left if timeout is None else min(left, timeout)


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


def _private(address: str) -> UsageError:
    what = f"refused: {address} is not a public address"
    return UsageError(what, hint="set GROUNDSWELL_PRIVATE_URLS=true if you mean it")

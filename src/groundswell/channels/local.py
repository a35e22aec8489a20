"""Channels on the machine that sends: a program that is called, and a file that is appended to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Final

from groundswell.channels.http import NotSentError
from groundswell.channels.kinds import Command, File
from groundswell.channels.messages import Message
from groundswell.channels.secret import BEGINNING

#: Of what a program says, what is kept.
_SAID: Final = 300
#: How far back a file is looked through for a message that is there already.
_BACK: Final = 1 << 20


def run_command(config: Command, message: Message, words: dict[str, str] | None) -> None:
    """Call the program with the message on its standard input; exit code 0 says that it has it.

    No shell is asked. The environment is that of this process without the secrets of channels, and with
    `GROUNDSWELL_MESSAGE_ID` and `GROUNDSWELL_EVENT`.

    Raises:
        NotSentError: it cannot be started, fails, or does not end in time (then it and what it started are killed).
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(BEGINNING)}
    environment |= {"GROUNDSWELL_MESSAGE_ID": message.id, "GROUNDSWELL_EVENT": message.event}
    try:
        process = subprocess.Popen(  # noqa: S603 - the command that a person at this machine configured
            list(config.argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        what = f"{config.argv[0]} cannot be started ({error.strerror})"
        raise NotSentError(what, hint="check that it is there and executable") from error
    with process:
        try:
            _, said = process.communicate(_line(message, words), timeout=config.timeout_s)
        except subprocess.TimeoutExpired as error:
            _end(process)
            what = f"{config.argv[0]} did not end within {config.timeout_s:g} seconds"
            raise NotSentError(what) from error
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        reason = " ".join(said.decode(errors="replace").split())[-_SAID:]
        what = f"{config.argv[0]} ended with code {process.returncode}" + (f": {reason}" if reason else "")
        raise NotSentError(what)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def append_line(config: File, message: Message, words: dict[str, str] | None, *, again: bool) -> None:
    """Append the message as one line of JSON, on the disk when this returns.

    `again`: an earlier try may have written it. Then the end of the file is searched for the line first, so that a file
    has each message once, also when the process was killed just after it wrote. A line that does not name its message
    (a body of one's own without `$id`) may be another message's: it is rather written twice than not at all.

    Raises:
        NotSentError: the file cannot be written; nothing of the message is in it.
    """
    line = _line(message, words)
    path = Path(config.path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor)
            if again and message.id.encode() in line and _holds(descriptor, line):
                return
            _append(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as error:
        what = f"{path} cannot be written ({error.strerror or error})"
        raise NotSentError(what, hint="check its folder, its permissions and the space on the disk") from error


def _lock(descriptor: int) -> None:
    # Where the system has no such lock, appending in one write has to do.
    with contextlib.suppress(ImportError):
        import fcntl  # noqa: PLC0415 - not everywhere

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _append(descriptor: int, line: bytes) -> None:
    size = os.fstat(descriptor).st_size
    # A line of somebody else that was cut off stays a line of its own.
    whole = line if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n" else b"\n" + line
    try:
        written = os.write(descriptor, whole)
        if written != len(whole):
            what = "no space left for the whole line"
            raise OSError(what)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _holds(descriptor: int, line: bytes) -> bool:
    size = os.fstat(descriptor).st_size
    start = max(0, size - _BACK)
    tail = os.pread(descriptor, size - start, start)
    # Whole lines only: the same message is the same bytes.
    return tail.startswith(line) or b"\n" + line in tail


def _line(message: Message, words: dict[str, str] | None) -> bytes:
    return json.dumps(message.payload(words), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

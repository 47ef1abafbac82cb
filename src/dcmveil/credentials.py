"""Secrets, passwords and keys as a command line gives them (PS3.15 E.1.1 and E.1.2: who may recover the originals).

What is read here is shown nowhere.
"""

from __future__ import annotations

import os
import stat
from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING

from dcmveil.arguments import UsageError
from dcmveil.console import ask_passphrase, warn
from dcmveil.descriptors import opening, read_most
from dcmveil.errors import show_path
from dcmveil.output import STANDARD
from dcmveil.room import need_room

if TYPE_CHECKING:
    from dcmveil.cms import Envelope, Opener

__all__ = ["envelope_of", "hide_passwords", "opener_of", "secret_of"]

_MAX_BYTES = 1 << 16


def hide_passwords(options: Namespace) -> None:
    """Take those that were given by -p out of what ps(1) shows, and tell that they have been there."""
    if not options.passwords:
        return
    from dcmveil.shielding import wipe_arguments

    could = "could see the password at the start" if wipe_arguments(options.passwords) else "can see the password"
    warn(f"-p: other users of this machine {could}; --password-file keeps it from them")


def secret_of(options: Namespace) -> bytes | None:
    """The secret of the UIDs, without the line ends that editors add."""
    return None if options.secret_file is None else _read(options.secret_file, "secret").rstrip(b"\r\n")


def envelope_of(options: Namespace) -> Envelope | None:
    """What encrypts the originals for the certificates and the password; None if there are none."""
    password = _password_of(options)
    if not options.certificates and password is None:
        return None
    need_room()
    from dcmveil.cms import Envelope
    from dcmveil.keys import load_certificates

    certificates = [
        certificate
        for path in options.certificates
        for certificate in load_certificates(path, allow_weak=options.allow_weak, warn=warn)
    ]
    return Envelope(
        certificates,
        password,
        cipher=options.cipher or "aes256",
        authenticated=options.authenticated,
        oaep=options.oaep,
    )


def opener_of(options: Namespace) -> Opener:
    """What decrypts with the private key, the password, or whichever of the two fits."""
    need_room()
    from dcmveil.cms import Opener
    from dcmveil.keys import load_private_key

    key = None
    if options.key is not None:
        passphrase = partial(_passphrase_of, options)
        key = load_private_key(options.key, password=passphrase, allow_weak=options.allow_weak, warn=warn)
    return Opener(key, _password_of(options))


def _password_of(options: Namespace) -> bytes | None:
    if options.password is not None:
        password = os.fsencode(options.password)
    elif options.password_file is not None:
        password = _without_line_end(_read(options.password_file, "password"))
    else:
        return None
    if not password:
        raise UsageError("the password is empty")
    return password


def _passphrase_of(options: Namespace) -> bytes | None:
    """That of the private key; asked for only if the key is encrypted."""
    if options.key_password_file is None:
        return ask_passphrase(options.key, reads_input=options.source != STANDARD)
    return _without_line_end(_read(options.key_password_file, "passphrase"))


def _without_line_end(text: bytes) -> bytes:
    return text.removesuffix(b"\n").removesuffix(b"\r")


def _read(path: str, what: str) -> bytes:
    """The content of a file that should be nobody else's."""
    try:
        with opening(path) as fd:
            mode = os.fstat(fd).st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
                warn(f"{show_path(path)}: others than its owner may get at this {what} (mode {stat.S_IMODE(mode):04o})")
            data = read_most(fd, _MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{show_path(path)}: {what} cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:  # what is cut off would not count, and two that differ there be the same
        raise UsageError(f"{show_path(path)}: {what} file is longer than {_MAX_BYTES} bytes")
    return data

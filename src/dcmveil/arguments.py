"""The options of the command line, what they mean together, and what is wrong with them.

The names are gdcmanon's, and so is what they do; options of ours are added. Options may stand anywhere before `--`,
long ones may be shortened. What gdcmanon ignores without a word is an error here: options that it does not know,
edits without --dumb, ways to encrypt without anybody to encrypt for.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NoReturn

from dcmveil.cloud_urls import is_url
from dcmveil.console import DEBUG, ERRORS, WARNINGS
from dcmveil.output import STANDARD

__all__ = ["DEIDENTIFY", "EDIT", "IDENTIFIERS", "OPTIONS", "REIDENTIFY", "UsageError", "help_text", "parse"]

DEIDENTIFY: Final = "-e"
REIDENTIFY: Final = "-d"
EDIT: Final = "--dumb"

_CIPHERS = ("des3", "aes128", "aes192", "aes256")  # of several the first counts, as with gdcmanon
_METHODS = ("auto", "reflink", "splice", "readwrite")
_LIBRARIES = ("openssl", "openssl-p7", "capi")
_MAX_PROCESSES = 256
_MAX_ORIGINALS = 100  # MiB: as much as a Policy takes
_DEFAULT_MAX_ORIGINALS = 16
_MAX_WINDOW = 36500  # days: as much as a DateShifter takes
_DEFAULT_WINDOW = 365

_EPILOG = """\
A folder IN is processed file by file into a folder OUT; a file that fails is told of and the others go on.
Without --secret-file new UIDs are random for this run: files of one study must then be processed together.
Without -c and -p nobody can recover what -e takes away. Keep IN, or the key.
TAG is 10,10 or PatientName; 9,2,CREATOR for private elements; SEQUENCE[1]>TAG in an Item, SEQUENCE>TAG in all.
"""

# The Options of PS3.15 E.3, as `dcmveil.options.Options` names them, and what each does.
OPTIONS = {
    "retain_uids": "keep UIDs",
    "retain_device_identity": "keep serial numbers, station names and the like; AE titles become pseudonyms",
    "retain_institution_identity": "keep institution, address, department",
    "retain_patient_characteristics": "keep age, sex, size, weight and the like; clean allergies, state, needs",
    "retain_full_dates": "keep dates and times",
    "modify_dates": "shift dates by whole days, alike in all files of a patient; keep times",
    "clean_descriptors": "keep descriptions and comments, without what identifies",
    "clean_structured_content": "keep SR Content Items and the like, without what identifies",
    "clean_graphics": "keep graphic annotations; their texts go, or are cleaned with --clean-descriptors",
    "retain_safe_private": "keep private elements that are known to be safe",
}
IDENTIFIERS = ("patient_id", "patient_name", "accession_number", "study_id")

# What an option is for, where that is not every mode. By its name in the Namespace.
_MODES: dict[str, tuple[str, ...]] = {
    "dry_run": (DEIDENTIFY, EDIT),
    "operations": (EDIT,),
    "certificates": (DEIDENTIFY, REIDENTIFY),  # gdcmanon -d ignores these and the ciphers
    "ciphers": (DEIDENTIFY, REIDENTIFY),
    "oaep": (DEIDENTIFY,),
    "authenticated": (DEIDENTIFY,),
    "key": (DEIDENTIFY, REIDENTIFY),  # gdcmanon -e ignores it
    "password": (DEIDENTIFY, REIDENTIFY),
    "password_file": (DEIDENTIFY, REIDENTIFY),
    "key_password_file": (REIDENTIFY,),
    "allow_weak": (DEIDENTIFY, REIDENTIFY),
    "max_originals": (DEIDENTIFY,),
    "drop_large_originals": (DEIDENTIFY,),
    "secret_file": (DEIDENTIFY,),
    "root_uid": (DEIDENTIFY,),
    "existing_encrypted": (DEIDENTIFY,),
    "allow_embedded_overlays": (DEIDENTIFY,),
    **dict.fromkeys(OPTIONS, (DEIDENTIFY,)),
    **dict.fromkeys(IDENTIFIERS, (DEIDENTIFY,)),
    "date_window": (DEIDENTIFY,),
    "keep_words": (DEIDENTIFY,),
    "drop_words": (DEIDENTIFY,),
    "trial": (DEIDENTIFY,),
    "map": (DEIDENTIFY,),
    "rules": (DEIDENTIFY,),
    "verify": (DEIDENTIFY,),
    "refuse_risky": (DEIDENTIFY,),
    "conformance": (DEIDENTIFY,),
}
# Files that are read besides IN. What is written has to be elsewhere: none of them can be had again.
_READ = (
    "secret_file", "rules", "keep_words", "drop_words", *IDENTIFIERS, "certificates", "key", "password_file",
    "key_password_file",
)  # fmt: skip
# What cleans texts, or may do so.
_CLEANING = {"clean_descriptors", "retain_patient_characteristics", "rules"}
# Options that say how to encrypt, and so are pointless without somebody to encrypt for.
_HOW_TO_ENCRYPT = ("ciphers", "oaep", "authenticated", "max_originals", "drop_large_originals")


class UsageError(Exception):
    """What is wrong with the command line, in one line."""


class _Parser(argparse.ArgumentParser):
    """argparse, whose messages show neither the Value nor the password that may be part of an argument."""

    arguments: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        for argument in self.arguments:
            name, equals, value = argument.partition("=")
            if equals and value and name.startswith("-"):
                message = message.replace(argument, name).replace(repr(value), "...")
        raise UsageError(message)


def help_text() -> str:
    """What -h prints."""
    return _parser().format_help()


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options, checked, with `mode`, `source`, `target` and `cipher` worked out. UsageError if they are wrong.

    `target` is None for a dry run, which needs none. With `help` or `version` nothing else is worked out.
    """
    parser = _parser()
    options = _parse(parser, list(arguments))
    if options.help or options.version:
        return options
    options.mode = _mode(options)
    given = {name for name in _MODES if getattr(options, name) != parser.get_default(name)}
    _check_mode(options, given)
    _check_together(options, given)
    options.cipher = _cipher(options)
    options.source, options.target = (None, None) if options.conformance else _paths(options)
    return options


def _parse(parser: _Parser, arguments: list[str]) -> argparse.Namespace:
    """Options may stand anywhere before `--`; what follows that are paths, which argparse forgets if it permutes."""
    stop = arguments.index("--") if "--" in arguments else len(arguments)
    parser.arguments = arguments[:stop]
    options, unknown = parser.parse_known_intermixed_args(arguments[:stop])
    if unknown:
        raise UsageError(f"unrecognized: {', '.join(map(_name_of, unknown))}")
    options.paths += arguments[stop + 1 :]
    options.password = options.passwords[-1] if options.passwords else None
    return options


def _name_of(argument: str) -> str:
    """An option as it may be shown: without what is attached to it."""
    return argument.partition("=")[0] if argument.startswith("--") else argument[:2]


# ---- what goes together ----------------------------------------------------------------------------------------


def _mode(options: argparse.Namespace) -> str:
    modes = set(options.modes or [DEIDENTIFY])
    if len(modes) > 1:
        raise UsageError("only one of -e, -d and --dumb is possible")
    (mode,) = modes
    return str(mode)


def _check_mode(options: argparse.Namespace, given: set[str]) -> None:
    for name, modes in _MODES.items():
        if name in given and options.mode not in modes:
            raise UsageError(f"{_flag(options, name)} is for {' and '.join(modes)} only")


def _flag(options: argparse.Namespace, name: str) -> str:
    """The option as people write it; that which was given where several share a name."""
    if name == "operations":
        return f"--{options.operations[0][0]}"
    if name == "ciphers":
        return f"--{options.ciphers[0]}"
    return "--certificate" if name == "certificates" else f"--{name.replace('_', '-')}"


def _check_together(options: argparse.Namespace, given: set[str]) -> None:
    recipients = given & {"certificates", "password", "password_file"}
    if {"password", "password_file"} <= given:
        raise UsageError("only one of --password and --password-file is possible")
    if options.mode == EDIT and not options.operations:
        raise UsageError("--dumb needs an edit: --empty, --clear, --remove or --replace")
    if options.mode == REIDENTIFY and not given & {"key", "password", "password_file"}:
        raise UsageError("-d needs a private key (-k) or a password (-p, --password-file)")
    if options.mode == DEIDENTIFY and not recipients:
        for name in _HOW_TO_ENCRYPT:
            if name in given:
                raise UsageError(f"{_flag(options, name)} needs a certificate (-c) or a password to encrypt for")
    if options.resume and options.dry_run:
        raise UsageError("--resume and --dry-run do not go together")
    if options.resume and options.map is not None:
        raise UsageError("--resume and --map do not go together: the map would have what is done now only")
    if options.dry_run and options.verify:
        raise UsageError("--dry-run and --verify do not go together: there is no output to search")
    if options.dry_run and options.map is not None and options.secret_file is None:
        raise UsageError("--dry-run and --map need --secret-file: else every run has other UIDs")
    _check_profile(options, given)


def _check_profile(options: argparse.Namespace, given: set[str]) -> None:
    if options.retain_full_dates and options.modify_dates:
        raise UsageError("--retain-full-dates and --modify-dates exclude each other: (0028,0303) says one thing")
    if options.date_window is not None and not (options.modify_dates or options.rules):
        raise UsageError("--date-window needs --modify-dates, or rules that shift dates")
    if given & {"keep_words", "drop_words"} and not given & _CLEANING:
        raise UsageError("--keep-words and --drop-words need --clean-descriptors, or else something that cleans texts")


def _cipher(options: argparse.Namespace) -> str | None:
    """The cipher to use, None if none was given."""
    given = {"des3" if cipher == "des" else cipher for cipher in options.ciphers or ()}
    return next((cipher for cipher in _CIPHERS if cipher in given), None)


def _paths(options: argparse.Namespace) -> tuple[str, str | None]:
    """IN and OUT, given by position or by -i and -o."""
    given = options.paths
    named = [options.input, options.output]
    if given and any(named):
        raise UsageError("IN and OUT are given either by position or by -i and -o")
    source, target = [*given, None, None][:2] if given else named
    if source is None or len(given) > 2 or (target is None and not options.dry_run):
        raise UsageError("IN and OUT expected")
    if options.resume and (STANDARD in (source, target) or is_url(source) or is_url(target)):
        raise UsageError("--resume is for files")
    if options.resume and os.path.realpath(source) == os.path.realpath(target):
        raise UsageError("--resume takes OUT for done, and here it is IN")
    target = None if options.dry_run else target
    _check_files(options, source, target)
    return source, target


def _check_files(options: argparse.Namespace, source: str, target: str | None) -> None:
    """What is written is neither read nor written twice, and the map is not handed on with what it can undo."""
    names = {os.path.realpath(path): _flag(options, name) for name in _READ for path in _files(options, name)}
    for name, path in (
        ("OUT", None if target == STANDARD else target),
        ("the report", options.report),
        ("the map", options.map),
    ):
        other = name if path is None else names.setdefault(os.path.realpath(path), name)
        if other != name:
            raise UsageError(f"{other} and {name} are the same file")
    if options.map is not None and target is not None and os.path.isdir(source):
        folder = os.path.join(os.path.realpath(target), "")
        if os.path.realpath(options.map).startswith(folder):
            raise UsageError("the map must not lie in OUT: with it what was done can be undone")


def _files(options: argparse.Namespace, name: str) -> list[str]:
    """The files that an option names."""
    given = getattr(options, name)
    files = given if isinstance(given, list) else [given]
    return [path for path in files if path is not None and not (name in IDENTIFIERS and path in ("empty", "keyed"))]


# ---- the options -----------------------------------------------------------------------------------------------


def _format(prog: str) -> argparse.HelpFormatter:
    # A width of its own: asking for that of the terminal would load shutil at every start.
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=34, width=110)


def _parser() -> _Parser:
    parser = _Parser(
        prog="dcmveil",
        usage="dcmveil [-e | -d | --dumb] [options] IN OUT",
        description="De-identify DICOM objects: PS3.15 2026d, Basic Application Level Confidentiality Profile, "
        "all Options.",
        epilog=_EPILOG,
        formatter_class=_format,
        add_help=False,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="IN OUT", help="two files, two folders, URLs of objects (s3://...), - for a pipe"
    )
    _add_modes(parser)
    _add_files(parser)
    _add_profile(parser)
    _add_options(parser)
    _add_identifiers(parser)
    _add_encryption(parser)
    _add_edits(parser)
    _add_messages(parser)
    return parser


def _add_modes(parser: _Parser) -> None:
    add = parser.add_argument_group("what to do").add_argument
    mode = partial(add, dest="modes", action="append_const")
    mode("-e", "--de-identify", const=DEIDENTIFY, help="de-identify (the default)")
    mode("-d", "--re-identify", const=REIDENTIFY, help="restore what -e has encrypted")
    mode("--dumb", const=EDIT, help="edit single Attributes, by no Profile")
    add("--dry-run", action="store_true", help="print the planned edits, write nothing (OUT may be left out)")


def _add_files(parser: _Parser) -> None:
    add = parser.add_argument_group("files").add_argument
    add("-i", "--input", metavar="IN", help="instead of the first argument")
    add("-o", "--output", metavar="OUT", help="instead of the second argument")
    add("-r", "--recursive", action="store_true", help="folders: go into the folders below")
    add("--continue", action="store_true", help="folders: go on after a file that fails, which is always done")
    add(
        "--jobs",
        metavar="N",
        type=partial(_number, _MAX_PROCESSES),
        default=1,
        help="folders: use N processes; the outputs are the same",
    )
    add(
        "--copy",
        choices=_METHODS,
        default="auto",
        help="how bulk is copied; changes no byte (default: auto, the first of the others that works)",
    )
    add("--resume", action="store_true", help="do only what is missing in OUT")
    add("--report", metavar="FILE.jsonl", help="write what was done, a JSON object per file")
    add("--resources-path", metavar="DIR", help="folder with tables of another edition (also GDCM_RESOURCES_PATH)")


def _add_profile(parser: _Parser) -> None:
    add = parser.add_argument_group("how to de-identify (-e)").add_argument
    add("--secret-file", metavar="FILE",
        help="secret of at least 16 bytes: with the same one the same UIDs, dates, pseudonyms, in any run")  # fmt: skip
    add("--root-uid", metavar="UID", help="root of new UIDs (also GDCM_ROOT_UID; default: 2.25)")
    add("--existing-encrypted", choices=("remove", "keep"), default="refuse",
        help="what to do with an Encrypted Attributes Sequence (default: refuse the file)")  # fmt: skip
    add("--allow-embedded-overlays", action="store_true",
        help="let files pass that may have overlay bits embedded in Pixel Data")  # fmt: skip
    add("--rules", metavar="FILE.toml", help="rules of your own, which go before the profile")
    add("--verify", action="store_true", help="search each output for what identifies in its input; a hit refuses it")
    add("--refuse-risky", action="store_true", help="refuse files with risks that headers cannot settle, see --report")
    add("--conformance", action="store_true", help="print the Conformance Statement for the options given, and exit")


def _add_options(parser: _Parser) -> None:
    add = parser.add_argument_group("Options of PS3.15 E.3 (-e)").add_argument
    for name, text in OPTIONS.items():
        add(f"--{name.replace('_', '-')}", action="store_true", help=text)
    add("--date-window", metavar="DAYS", type=partial(_number, _MAX_WINDOW),
        help=f"shift dates by up to so many days into the past (default: {_DEFAULT_WINDOW})")  # fmt: skip
    add("--keep-words", metavar="FILE", help="words that cleaning leaves, one a line")
    add("--drop-words", metavar="FILE", help="words that cleaning takes away, one a line")


def _add_identifiers(parser: _Parser) -> None:
    add = parser.add_argument_group("identity for research (-e)").add_argument
    for name in IDENTIFIERS:
        add(f"--{name.replace('_', '-')}", metavar="HOW",
            help="empty, keyed (a pseudonym from the secret; the default with one), or FILE.csv: old,new")  # fmt: skip
    add("--trial", metavar="KEYWORD=VALUE", action="append", default=[],
        help="set a Clinical Trial Attribute of group 0012; may be repeated")  # fmt: skip
    add("--map", metavar="FILE.csv", help="write old and new UIDs and Patient IDs, for your eyes only (mode 0600)")


def _add_encryption(parser: _Parser) -> None:
    add = parser.add_argument_group("encryption of the originals (-e), and decryption (-d)").add_argument
    add("-c", "--certificate", dest="certificates", metavar="FILE", action="append", default=[],
        help="-e: encrypt for the owner of this certificate; may be repeated")  # fmt: skip
    add("-k", "--key", metavar="FILE", help="-d: private key")
    add("--key-password-file", metavar="FILE", help="-d: passphrase of the private key (default: ask for it)")
    add("-p", "--password", dest="passwords", metavar="TEXT", action="append", default=[],
        help="password, which other users of the machine may see")  # fmt: skip
    add("--password-file", metavar="FILE", help="password, in a file")
    cipher = partial(add, dest="ciphers", action="append_const")
    cipher("--des3", const="des3", help="-e: encrypt with Triple-DES")
    cipher("--des", const="des", help="the same")
    for bits in (128, 192, 256):
        cipher(f"--aes{bits}", const=f"aes{bits}", help=f"AES-{bits}" + " (the default)" * (bits == 256))
    add("--oaep", action="store_true", help="-e: RSAES-OAEP instead of RSAES-PKCS1-v1_5")
    add("--authenticated", action="store_true", help="-e: AES-GCM instead of AES-CBC")
    add("--allow-weak", action="store_true", help="use weak keys and expired certificates")
    add("--crypto", metavar="LIBRARY", choices=_LIBRARIES, help="accepted: openssl, openssl-p7, capi; changes nothing")
    add("--max-originals", metavar="MIB", type=partial(_number, _MAX_ORIGINALS),
        help=f"-e: refuse files with more to encrypt (default: {_DEFAULT_MAX_ORIGINALS})")  # fmt: skip
    add("--drop-large-originals", action="store_true",
        help="-e: rather leave out of what is encrypted, for good, the largest of it")  # fmt: skip


def _add_edits(parser: _Parser) -> None:
    add = parser.add_argument_group("edits (--dumb); each may be repeated").add_argument
    edits = {
        "empty": ("TAG", "make zero-length; insert if absent"),
        "clear": ("TAG", "make zero-length if present"),
        "remove": ("TAG", "take away"),
        "replace": ("TAG=VALUE", "give this Value; insert if absent; also TAG,VALUE"),
    }
    for kind, (metavar, text) in edits.items():
        pair: Any = partial(_pair, kind)
        add(f"--{kind}", dest="operations", metavar=metavar, action="append", type=pair, help=text)


def _add_messages(parser: _Parser) -> None:
    add = parser.add_argument_group("messages (stderr)").add_argument
    level = partial(add, dest="level", action="store_const")
    level("-V", "--verbose", const=WARNINGS, default=ERRORS, help="warnings and errors")
    level("-W", "--warning", const=WARNINGS, help="warnings")
    level("-E", "--error", const=ERRORS, help="errors (the default)")
    level("-D", "--debug", const=DEBUG, help="what was done to each file")
    add("--quiet-names", action="store_true", help="call files by number, in the report as well")
    add("-h", "--help", action="store_true", help="print this and exit")
    add("-v", "--version", action="store_true", help="print the version and exit")


def _pair(kind: str, text: str) -> tuple[str, str]:
    return kind, text


def _number(most: int, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 0 < int(text) <= most):
        raise argparse.ArgumentTypeError(f"a number from 1 to {most} expected")
    return int(text)

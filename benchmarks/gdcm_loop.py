"""What a user of python-gdcm would write: `python gdcm_loop.py CERTIFICATE IN OUT`, two files or two folders.

The Basic Application Level Confidentiality Profile as GDCM has it (PS3.15-2008, 48 Attributes), originals encrypted for
the certificate, one Anonymizer for all files, which maps the same UID to the same new one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import gdcm


def pairs(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    if not source.is_dir():
        yield source, target
        return
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        yield path, target / path.name


def deidentify(anonymizer: gdcm.Anonymizer, source: Path, target: Path) -> None:
    reader, writer = gdcm.Reader(), gdcm.Writer()
    reader.SetFileName(os.fspath(source))
    if not reader.Read():
        raise SystemExit(f"{source}: could not be read")
    anonymizer.SetFile(reader.GetFile())
    if not anonymizer.BasicApplicationLevelConfidentialityProfile(True):
        raise SystemExit(f"{source}: could not be de-identified")
    information = reader.GetFile().GetHeader()
    information.Clear()  # as gdcmanon does: made anew from the Data Set
    writer.SetFileName(os.fspath(target))
    writer.SetFile(reader.GetFile())
    if not writer.Write():
        raise SystemExit(f"{target}: could not be written")


def main(certificate: str, source: Path, target: Path) -> None:
    if not gdcm.Global.GetInstance().LoadResourcesFiles():
        raise SystemExit("the tables of GDCM could not be loaded")
    provider = gdcm.CryptoFactory.GetFactoryInstance().CreateCMSProvider()
    if not provider.ParseCertificateFile(certificate):
        raise SystemExit("the certificate could not be read")
    anonymizer = gdcm.Anonymizer()
    anonymizer.SetCryptographicMessageSyntax(provider)
    for one, other in pairs(source, target):
        deidentify(anonymizer, one, other)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))

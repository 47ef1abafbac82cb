"""Names and numbers that a text says whose they are: behind a title, or behind a label (PS3.15 E.3.5).

"Dr. Smith" goes as a whole, and so do "referred by Smith" and "born 1948". Of "Patient: Smith" and "MRN: 123" the label
stays, but without its colon: what follows then is no answer to it. A name is up to three words with capitals, and ends
before a word of the clinic: "DR SMITH CT CHEST".
"""

# ruff: noqa: RUF001 - labels and punctuation of many scripts

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dcmveil.folding import SPACELESS, Span, fold
from dcmveil.moments import JOINT, find_dates
from dcmveil.vocabulary import COMMON, EPONYMS

__all__ = ["find_namings"]

_DIGIT = re.compile(r"\d")
_WORDS = re.compile(r"[^\W\d_]+")
_SPACE = r"[ \t\xa0]"


def find_namings(text: str) -> list[Span]:
    """All such places; some may overlap."""
    words = set(_WORDS.findall(text.casefold()))
    has_colon = ":" in text or "=" in text or "：" in text
    found: list[Span] = []
    if not words.isdisjoint(_IN_TITLES):
        found += _titled(text)
    if has_colon:
        found += _labelled(text)
    if not words.isdisjoint(_IN_BY):
        found += _by(text)
    if not words.isdisjoint(_IN_BIRTH):
        found += _born(text)
    if _DIGIT.search(text):
        if has_colon or "#" in text or any(word.startswith(_IN_STRONG) for word in words):
            found += _numbered(text)
        if any(word.startswith(_IN_CALL) for word in words):
            found += _called(text)
    return found


# ---- behind titles -------------------------------------------------------------------------------------------------

_HONOURS = r"(?:\s{0,2}(?:med|dent|rer|nat|habil|h\.?\s?c|phil|vet)\b\.?){0,4}"
# As written, or all in capitals. MR, MS, MRS, SR, DR are modalities and diseases too: those need a full stop, or what
# follows to be no word of the clinic.
_TITLES = (
    r"(?:[Dd]r|DR|[Dd]ra|DRA|[Pp]rof|PROF|Professor|PROFESSOR|Doctor|DOCTOR|Doktor|DOKTOR|Docteur|Doctora|Dott"
    r"|Mr|Mrs|Ms|Miss|MISS|MR(?=\.)|MRS(?=\.)|MS(?=\.)|Herrn?|HERRN?|Hrn?(?=\.)|Frau|FRAU|Sr|Sra|Srta|SRA|Señora?|Mme|MME|Mlle|M(?=\.\s)"
    r"|Monsieur|Madame|Mevr|Dhr|Sig(?=\.)|Signora?)"
)
_TITLED = re.compile(rf"(?<![^\W_])(?:{_TITLES}(?![^\W_])\.?{_HONOURS}[ \t\xa0,]{{0,2}}){{1,4}}")
_IN_TITLES = frozenset(
    "dr dra prof professor doctor doktor docteur doctora dott mr mrs ms miss herr herrn hr hrn frau sr sra srta"
    " señor señora mme mlle m monsieur madame mevr dhr sig signor signora".split()
)
_NAME = re.compile(r"[^\W\d_]{1,64}(?:['’.·-][^\W\d_]{1,64}){0,4}\.?")
_PARTICLE = re.compile(
    r"(?:(?:van|von|vom|zu|zur|de|den|der|del|della|di|da|dos|du|la|le|el|al|bin|ibn|ben|ter|ten|y|e)"
    rf"{_SPACE}{{1,3}}|d['’]|al-){{1,3}}"
)
_BETWEEN_NAMES = re.compile(rf"{_SPACE}{{1,3}}|,{_SPACE}{{0,3}}|\^+")
_MOST_NAMES = 3
_LONGEST_INITIAL = len("Chr.")


def _titled(text: str) -> Iterator[Span]:
    for match in _TITLED.finditer(text):
        title = match[0].rstrip(" \t\xa0,")
        stop = _names(text, match.end(), _is_modality_or_muscle if title.isupper() else None)
        if stop > match.end():
            yield match.start(), stop


def _is_modality_or_muscle(word: str) -> bool:
    return word in COMMON or word in EPONYMS


def _is_common(word: str) -> bool:
    return word in COMMON


def _names(
    text: str, at: int, ends: Callable[[str], bool] | None, *, has_commas: bool = False, has_case: bool = True
) -> int:
    """Where up to three names end that begin at a place: words with a capital that are no words of the clinic.

    `ends` says so of the first of them. Where none is, the place itself.
    """
    stop = at
    for count in range(_MOST_NAMES):
        particle = _PARTICLE.match(text, at)
        match = _NAME.match(text, particle.end() if particle else at)
        if match is None or (has_case and not (match[0][0].isupper() or (count == 0 and not match[0][0].islower()))):
            break
        is_end = ends if count == 0 else _is_common
        if is_end is not None and is_end(fold(match[0])):
            break
        stop = match.end()
        if match[0].endswith(".") and len(match[0]) > _LONGEST_INITIAL:
            break  # a sentence ends
        gap = _BETWEEN_NAMES.match(text, stop)
        if gap is None or (gap[0][:1] == "," and not (has_commas and count == 0)):
            break
        at = gap.end()
    return stop


# ---- behind labels -------------------------------------------------------------------------------------------------

_COLON = rf"{_SPACE}*[:=：]{_SPACE}*"
_NUMBER = r"(?:#|№|n[or]\.?|n[°º]|num(?:ber|mer|éro|ero)?\.?|id)"


def _label(words: str, after: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{words}){after}", re.IGNORECASE)


# Labels with a colon stay, without the colon, for what follows then is no answer to them.
_LABEL = _label(
    r"(?:patient(?:en)?(?:'s)?|pat|pt|first|last|full|sur|maiden|family|given|mother'?s?|vor|nach|zu|geburts)?"
    r"[ _.-]{0,2}(?:name|nom|nombre|prénom|apellidos?)s?"
    r"|patient(?:in|e)?|paciente|pat\.?|pt\.?|mother|father|spouse|guardian|contact|next of kin|relative|sister|brother"
    r"|(?:referring|ref|attending|requesting|reporting|performing|ordering|consulting|responsible)\.?"
    r"(?:[ _.-]{0,2}(?:physician|phys|doctor|dr|md|arzt)\.?)?"
    r"|physician|doctor|radiologist|radiographer|operator|technologist|technician|tech|sonographer|nurse|surgeon|resident"
    r"|author|verifier|reader|reporter|transcriptionist|dictated|zuweiser(?:in)?|überweiser(?:in)?|einweiser|befunder(?:in)?"
    r"|hausarzt|arzt|ärztin|unterschrift|médecin|prescripteur|médico|firma|пациент(?:ка)?|фио|ф\.и\.о\.?|имя|фамилия|врач"
    r"|ασθεν[ήη]ς|ονοματεπ[ώω]νυμο|[όο]νομα",
    _COLON,
)
_UNCASED = re.compile(rf"(?:المريضة?|الاسم|اسم المريض|الطبيب|הרופא|שם|מטופל){_COLON}")
_SIGNED = re.compile(r"(?:患者氏名|患者名|氏名|姓名|名前|患者|医師|医生|이름|성명|환자명?|의사)\s?[:：]\s?")
# Two short runs with a space between, or one; a longer one is no name only.
_SIGNS = re.compile(rf"[{SPACELESS}]{{1,3}}[ \u3000^·・][{SPACELESS}]{{1,3}}(?![{SPACELESS}])|[{SPACELESS}]{{1,6}}")


def _labelled(text: str) -> Iterator[Span]:
    for label, has_case in ((_LABEL, True), (_UNCASED, False)):
        for match in label.finditer(text):
            stop = _names(text, match.end(), _is_common, has_commas=True, has_case=has_case)
            if stop > match.end():
                yield match.end(), stop
    for match in _SIGNED.finditer(text):
        signs = _SIGNS.match(text, match.end())
        if signs:
            yield signs.span()


# These go with what follows.
_BY = _label(
    r"(?:re(?:ferred|f\.?|quested|ported|ad|viewed|gistered)|ordered|performed|signed|dictated|interpreted|approved|verified"
    r"|scanned|done|seen|examined|sent|confirmed|transcribed|prepared|acquired|typed) by"
    r"|(?:überwiesen|zugewiesen|befundet|untersucht|angefordert|freigegeben|gesehen) (?:von|durch)"
    r"|(?:adressée?|prescrite?|demandée?|réalisée?|signée?) par"
    r"|(?:remitid|solicitad|derivad|realizad|firmad|informad)[oa] por|attn|c/o",
    rf"(?:{_COLON}|\.?{_SPACE}+)",
)
_IN_BY = frozenset("by von durch par por attn c".split())
_BIRTH = _label(
    r"d\.?o\.?b\b\.?|date of birth|birth[ -]?date|birthday|born(?: on| in)?"
    r"|geb(?:oren(?:e|er)?(?: am| in)?|urtsdatum|\.(?: am)?)|née?(?: le| à)?|date de naissance"
    r"|nacid[oa](?: el| en)?|fecha de nacimiento|f\.?\s?nac\.?|дата рождения|род\.",
    rf"(?:{_COLON}|(?<=\.){_SPACE}*|{_SPACE}+)",
)
_IN_BIRTH = frozenset(
    "dob d birth birthdate birthday born geb geboren geborene geborener geburtsdatum né née naissance nacido nacida nac"
    " nacimiento дата род".split()
)
_YEAR = re.compile(r"(?:1[89]|20)\d\d(?!\d)")

# Of these the number goes. Without a sign behind the label it must be a long one.
_STRONG = _label(
    rf"(?:acc(?:ession)?|patient(?:en)?|pat\.?|pt\.?|record)[ _.-]{{0,2}}{_NUMBER}|mrn|pid|ssn|nhs|npi|accession"
    r"|(?:fall|versicherten|versicherungs|aufnahme|auftrags)[ -]?(?:nummer|nr\b\.?)",
    rf"(?P<sign>{_SPACE}?[:=#：.]{_SPACE}?|{_SPACE})",
)
_WEAK = _label(
    r"id|acc|case|chart|account|acct|visit|encounter|order|request|insurance|policy|member|dossier|expediente|historia"
    r"|(?:hospital|study|exam|case|chart|account|visit|order|policy|member|serial|badge|licen[cs]e)"
    rf"[ _.-]{{0,2}}{_NUMBER}",
    rf"{_SPACE}?[:=#：]{_SPACE}*",
)
_IN_STRONG = ("mrn", "pid", "ssn", "nhs", "npi", "acc", "pat", "pt", "fall", "versich", "aufnahme", "auftrag", "record")
_IDENTIFIER = re.compile(r"[^\W_]{1,64}(?:[-./_][^\W_]{1,64}){0,8}")
_MIN_DIGITS, _MIN_WEAK = 2, 3
_CALL = _label(
    rf"(?:tel(?:efon|ephone|efax|éfono)?|tél(?:éphone)?|(?:tele|mobile |cell )?phone|fax|mobile?|handy|pager|cell)\b\.?"
    rf"(?: ?{_NUMBER})?",
    rf"(?:{_COLON}|{_SPACE}*)",
)
_IN_CALL = ("tel", "tél", "phone", "fax", "mobil", "handy", "pager", "cell")
_CALLED = re.compile(rf"[+(]{{0,2}}\d+(?:{JOINT}\d+)*")
_MIN_CALLED = 3  # digits


def _by(text: str) -> Iterator[Span]:
    for match in _BY.finditer(text):
        stop = _names(text, match.end(), _is_common)
        if stop > match.end():
            yield match.start(), stop


def _born(text: str) -> Iterator[Span]:
    dates = {moment.start: moment.stop for moment in find_dates(text)}
    for match in _BIRTH.finditer(text):
        year = _YEAR.match(text, match.end())
        stop = dates.get(match.end()) or (year.end() if year else _names(text, match.end(), _is_common))
        if stop > match.end():
            yield match.start(), stop


def _numbered(text: str) -> Iterator[Span]:
    for match in _STRONG.finditer(text):
        found = _IDENTIFIER.match(text, match.end())
        if found and len(_DIGIT.findall(found[0])) >= (_MIN_DIGITS if match["sign"].isspace() else 1):
            yield found.span()
    for match in _WEAK.finditer(text):
        found = _IDENTIFIER.match(text, match.end())
        if found and len(found[0]) >= _MIN_WEAK and _DIGIT.search(found[0]):
            yield found.span()


def _called(text: str) -> Iterator[Span]:
    for match in _CALL.finditer(text):
        found = _CALLED.match(text, match.end())
        if found and len(_DIGIT.findall(found[0])) >= _MIN_CALLED:
            yield found.span()

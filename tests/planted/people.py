"""Invented persons, and what is said of bodies, in the languages and character sets of DICOM.

Nobody of these lists exists. Names are long enough not to be in a word of the clinic by accident; of what is said every
word is to stay.
"""

# ruff: noqa: RUF001 - letters of many scripts

from __future__ import annotations

from random import Random
from typing import NamedTuple

__all__ = ["TONGUES", "Person", "Tongue", "person"]


class Tongue(NamedTuple):
    """A language, with Values of Specific Character Set. `spoken` are ways to mention a person of the object, `titled`
    ways to mention strangers, who are in no Attribute.
    """

    name: str
    character_sets: tuple[str, ...]
    codec: str
    families: tuple[str, ...]
    givens: tuple[str, ...]
    institutions: tuple[str, ...]
    findings: tuple[str, ...]
    spoken: tuple[str, ...]
    titled: tuple[str, ...]
    strangers: tuple[str, ...]


WESTERN = (
    "{given} {family}", "{family}, {given}", "{FAMILY}_{GIVEN}", "{FAMILY}^{GIVEN}", "{initial}. {family}",
    "({family})",
)  # fmt: skip
SIGNS = ("{family}{given}", "{family} {given}", "{family}", "({family}{given})")
STRANGERS = ("Wexlington", "Ombrecht", "Quillfeather", "Zandvliet", "Brackenholm", "Tavistrand")

TONGUES = (
    Tongue(
        "English",
        ("ISO_IR 6",),
        "ascii",
        ("Featherstonhaugh", "Quartermaine", "Ravensdale", "O'Dunnigan", "Smythe-Warwick", "van der Kroft"),
        ("Barnaby", "Ottoline", "Peregrine", "Wilhelmina", "Thaddeus", "Mary-Lou"),
        ("Saint Aldwyn Memorial Hospital", "Ravenport Community Clinic, Ravenport"),
        (
            "CT abdomen and pelvis with contrast 5 mm", "MRI brain without contrast", "chest pain, rule out PE",
            "follow-up of nodule in left lower lobe", "s/p CABG, post-op day 3", "no acute fracture of C5/C6 or L4-L5",
            "T1 MPRAGE SAG 1mm iso", "BI-RADS 4 lesion in right breast", "WW 400 WL 40", "axial T2 FLAIR 3 mm, gap 0.3",
            "liver lesion measures 12 x 15 mm", "120kV 250 mAs, CTDIvol 8.4", "history of asthma and hypertension",
        ),
        WESTERN,
        ("Dr. {}", "referred by Dr. {}", "Mr. {}", "Referring: {}"),
        STRANGERS,
    ),
    Tongue(
        "German",
        ("ISO_IR 100",),
        "latin-1",
        ("Großmüller", "Schönwälder", "Übelhör", "Kräutlein", "von Dünenfels", "Weißgerbersen"),
        ("Jörgfried", "Änneliese", "Gottlieb", "Hannelore", "Björnhard"),
        ("Krankenhaus Sankt Blasius", "Radiologie am Mühlenteich, Dünenstadt"),
        (
            "Verdacht auf Läsion der Leber", "Z. n. Hüft-TEP rechts", "Kopf nativ und mit KM",
            "Ausschluss Lungenembolie", "Knie links, Schmerzen seit Sturz", "BWS in 2 Ebenen",
            "kein Nachweis einer Fraktur", "Thorax p.a. im Stehen",
        ),
        WESTERN,
        ("Herr {}", "Frau Dr. {}", "überwiesen von {}", "Prof. Dr. med. {}"),
        STRANGERS,
    ),
    Tongue(
        "French",
        ("ISO_IR 192",),
        "utf-8",
        ("Lefèvre-Brûlon", "Château-Renaud", "Beauséjour", "d'Aubépine", "Métivieux"),
        ("Léopoldine", "Théophraste", "Gwenaëlle", "Clotilde", "Maëlys"),
        ("Hôpital Sainte-Églantine", "Clinique des Mésanges, Valbrûlé"),
        (
            "lésion du foie, sans contraste", "douleur thoracique à droite", "IRM du genou gauche",
            "œdème de la cheville", "suspicion de fracture du poignet", "scanner cérébral normal",
        ),
        WESTERN,
        ("Mme {}", "adressé par {}", "Dr {}"),
        STRANGERS,
    ),
    Tongue(
        "Russian",
        ("ISO_IR 144",),
        "iso8859_5",
        ("Кузнечихин", "Подберёзов", "Златоустин", "Чернокрылов", "Белоручкин"),
        ("Евстафий", "Пелагея", "Святослав", "Ярополк"),
        ("Больница святого Ермолая", "Клиника Зареченская"),
        ("КТ грудной клетки с контрастом", "МРТ головного мозга", "боль в правом плече", "перелом ключицы слева"),
        ("{given} {family}", "{family} {given}", "{family}, {given}", "{FAMILY} {GIVEN}", "{family} {initial}."),
        ("пациент: {}", "врач: {}"),
        ("Незабудкин", "Листопадова Ульяна"),
    ),
    Tongue(
        "Greek",
        ("ISO_IR 126",),
        "iso8859_7",
        ("Παπακαλλιάτης", "Ξυλουρίδης", "Θαλασσινόπουλος", "Αγγελοπέτρου"),
        ("Αριστείδης", "Πολυξένη", "Ευστράτιος", "Χρυσάνθη"),
        ("Νοσοκομείο Αγία Βαρβάρα", "Κλινική Ηλιοβασίλεμα"),
        ("αξονική τομογραφία θώρακος", "κάταγμα δεξιού ώμου", "πόνος στην κοιλιά", "χωρίς παθολογικά ευρήματα"),
        ("{given} {family}", "{family} {given}", "{family}, {given}", "{FAMILY}"),
        ("Dr. {}", "ασθενής: {}"),
        ("Μελισσανθίδης", "Ροδοκανάκου Ελπινίκη"),
    ),
    Tongue(
        "Japanese",
        ("", "ISO 2022 IR 87"),
        "iso2022_jp",
        ("雪ノ森", "小鳥遊", "月見里", "鷹宮原", "不知火"),
        ("誠十郎", "菊千代", "椿姫子", "龍之丞"),
        ("霧ヶ丘記念病院", "湖畔第二病院"),
        ("胸部造影検査", "頭部単純撮影 1.25mm", "右膝関節の痛み", "肝臓に結節あり", "異常所見なし"),
        SIGNS,
        ("患者:{}", "氏名：{}"),
        ("花菱辰巳", "弓削 千鶴"),
    ),
    Tongue(
        "Korean",
        ("", "ISO 2022 IR 149"),
        "euc_kr",
        ("남궁", "제갈", "황보", "선우"),
        ("별하늬", "으뜸솔", "찬솔빛", "고운결"),
        ("은하수기념병원", "달빛마을의원"),
        ("복부 조영증강", "뇌 자기공명영상", "오른쪽 무릎 통증", "폐 결절 추적 검사"),
        SIGNS,
        ("환자: {}", "이름: {}"),
        ("봉황새롬", "독고 미르"),
    ),
    Tongue(
        "Chinese",
        ("GB18030",),
        "gb18030",
        ("欧阳", "慕容", "司徒", "上官"),
        ("飞鸿雁", "若冰霜", "子墨轩", "云鹤龄"),
        ("青云山纪念医院", "东湖仁爱医院"),
        ("腹部平扫加增强", "头颅磁共振检查", "左肺上叶结节", "未见明显异常"),
        SIGNS,
        ("患者：{}", "姓名: {}"),
        ("诸葛暮雪", "夏侯惊鸿"),
    ),
    Tongue(
        "Arabic",
        ("ISO_IR 127",),
        "iso8859_6",
        ("القمرانجي", "الزيتونابي", "السنديانوي", "البحرانكي"),
        ("عبدالزهير", "نورالفجر", "شهرزادة", "بدرالدجى"),
        ("مستشفى الواحة الخضراء", "عيادة النخيل"),
        ("أشعة مقطعية للبطن", "ألم في الركبة اليمنى", "لا يوجد كسر", "عقدة في الرئة"),
        ("{given} {family}", "{family} {given}", "{family}"),
        ("الاسم: {}", "المريض: {}"),
        ("الياسمينوري الكهرماني", "المرجانوش"),
    ),
)  # fmt: skip


class Person(NamedTuple):
    """A person of a tongue, with all that Values and texts say of them."""

    tongue: Tongue
    family: str
    given: str
    romanized: tuple[str, str]
    patient_id: str
    accession: str
    institution: str
    street: str
    telephone: str
    mail: str
    born: tuple[int, int, int]

    @property
    def name(self) -> str:
        """As PN: with component groups where the name is not alphabetic."""
        own = f"{self.family}^{self.given}"
        return "^".join(self.romanized) + f"={own}" if self.is_ideographic else own

    @property
    def is_ideographic(self) -> bool:
        return self.tongue.spoken is SIGNS

    def said(self, way: str) -> str:
        """A way to mention the person, filled in."""
        family, given = self.family, self.given
        return way.format(family=family, given=given, FAMILY=family.upper(), GIVEN=given.upper(), initial=given[0])


_SYLLABLES = (
    "bra",
    "dun",
    "fel",
    "gor",
    "hax",
    "kim",
    "lor",
    "mev",
    "nuz",
    "pex",
    "quo",
    "rif",
    "syl",
    "tov",
    "wyx",
    "zam",
)


def person(tongue: Tongue, random: Random) -> Person:
    """One person, invented anew."""
    romanized = tuple("".join(random.sample(_SYLLABLES, 3)).title() for _ in range(2))
    word = "".join(random.sample(_SYLLABLES, 3))
    number = random.randrange(10**7, 10**8)
    return Person(
        tongue,
        random.choice(tongue.families),
        random.choice(tongue.givens),
        (romanized[0], romanized[1]),
        random.choice(("{}", "{}", "HX-{}", "00{}")).format(number),
        f"A{random.randrange(10**6, 10**7)}",
        random.choice(tongue.institutions),
        f"{random.randrange(10, 400)} {word.title()} Crescent",
        f"+{random.randrange(30, 99)} {random.randrange(100, 999)} {random.randrange(10**6, 10**7)}",
        f"{word}@{romanized[0].lower()}.example.org",
        (random.randrange(1925, 2012), random.randrange(1, 13), random.randrange(1, 29)),
    )

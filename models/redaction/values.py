"""Fills slots with invented values of many countries (Faker, MIT) and in many ways of writing."""

import random
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from faker import Faker
from models.redaction.sentences import WORDS

_LOCALES: Final = (
    *("en_US", "en_GB", "en_AU", "en_CA", "en_IN", "en_IE", "en_NZ", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_CH"),
    *("es_ES", "es_MX", "it_IT", "nl_NL", "nl_BE", "pt_BR", "pt_PT", "pl_PL", "cs_CZ", "sk_SK", "hu_HU", "hr_HR"),
    *("sl_SI", "ro_RO", "da_DK", "sv_SE", "no_NO", "fi_FI", "tr_TR", "id_ID", "fil_PH", "el_GR", "ru_RU", "en_US"),
)
_UNORDERED: Final = "it_IT"
"""Its places come from a set: another run would give others."""

_FIRST_DAY, _LAST_DAY = date(1930, 1, 1), date(2026, 1, 1)
_DIGITS: Final = tuple("zero one two three four five six seven eight nine".split())
_STREETS: Final = tuple(
    "Street Road Avenue Lane Crescent Gardens Drive Close Way Place St Rd Ave Court Terrace".split()
)
_TREES: Final = tuple(
    """Rose Oak Church Station Mill High Park Victoria King's Queen London Main Maple Elm Green School
Bridge North West Castle Manor Orchard Chapel Spring Forest River Hill Windsor Albert Cedar""".split()
)
_HOSPITALS: Final = (
    "General Hospital",
    "Hospital",
    "Infirmary",
    "Medical Center",
    "Clinic",
    "Hospice",
    "Health Centre",
)
MADE_DRUGS: Final = 0.5
"""Share of medicines whose name is made: the ending must be known, not the list."""

_SYLLABLES: Final = tuple(
    """ra li bi so me to ci ta es du mi ve qui ola ari ris ha lo dia pre ga pa na mor co tra oxy war
api riva clo ator sim los am bis fu spi di met gli ome lan on pred sal tio amo doxy van gen cef fluc tri zo
ner""".split()
)
_STEMS: Final = tuple(
    """pril olol statin azole mycin cillin zepam tidine oxetine sartan dipine pram azepine idone apine
triptan gliptin formin parin xaban mab tinib vir profen coxib caine prazole setron sone solone semide thiazide dronate
fenac barbital amine zine oxacin cycline""".split()
)
_LEGAL: Final = ("", "", "", " Ltd", " Inc", " Inc.", " LLC", " GmbH", " & Sons", " Group", " plc", " Bank", " Systems")
_MADE: Final = tuple(
    """data soft net tech bio health care geo info open social green star blue sun north med core link
logic wave point cloud smart pay life home energy food auto solar trade stat market map city air ex intel""".split()
)
_TRADES: Final = tuple(
    """Insurance Energy Services Analytics Holdings Foundation Research Technologies Networks Foods
Motors Airlines Pharmacy Consulting Partners Media Labs Solutions Systems International Institute Association Agency
Weather Mortgage Markets Health Software Brothers Capital Ventures Data""".split()
)
_STATES: Final = tuple("AL AK AZ CA CO FL GA IL IN LA MA MI MN NY NJ NC OH PA TX VA WA WI AP AE AA".split())


class Values:
    """A seeded source of fillings."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._fakers = [Faker(locale) for locale in _LOCALES]
        self._placed = [faker for locale, faker in zip(_LOCALES, self._fakers, strict=True) if locale != _UNORDERED]
        for number, faker in enumerate(self._fakers):
            faker.seed_instance(seed + number)

    def fill(self, slot: str) -> str:
        """Return a value for a slot of `sentences`.

        Raises:
            KeyError: There is no such slot.
        """
        if slot == "drug" and self._random.random() < MADE_DRUGS:
            return self._drug()
        if slot in WORDS:
            return self._random.choice(WORDS[slot])
        makers: dict[str, Callable[[], str]] = {
            "first": lambda: self._of("first_name"),
            "last": lambda: self._of("last_name"),
            "name": self._name,
            "city": lambda: self._of("city"),
            "country": lambda: self._fakers[0].country().split(" (")[0],
            "street": self._street,
            "streetname": self._street_name,
            "address": self._address,
            "zip": lambda: self._of("postcode"),
            "org": self._organisation,
            "hospital": self._hospital,
            "date": self._date,
            "phone": self._phone,
            "number": self._number,
            "card": self._card,
            "iban": lambda: self._of("iban"),
            "state": lambda: self._random.choice(_STATES),
            "building": lambda: str(self._random.randint(1, 999)),
            "unit": lambda: f"{self._random.choice(['Apt.', 'Suite', 'Flat', 'Unit'])} {self._random.randint(1, 999)}",
            "title": lambda: self._random.choice(["Mr.", "Mrs.", "Ms.", "Dr.", "Miss"]),
            "mail": lambda: self._of("email"),
            "url": lambda: self._of("url"),
            "ip": lambda: self._of("ipv4"),
        }
        return makers[slot]()

    def _drug(self) -> str:
        """Return a made name with the ending of a class of medicines."""
        start = "".join(self._random.choice(_SYLLABLES) for _ in range(self._random.choice([1, 2])))
        name = start + self._random.choice(_STEMS)
        return name if self._random.random() < MADE_DRUGS else name.capitalize()

    def _one(self, *ways: Callable[[], str]) -> str:
        return self._random.choice(ways)()

    def _of(self, what: str) -> str:
        faker: Any = self._random.choice(self._placed if what in {"city", "address"} else self._fakers)
        for maker in (faker, self._fakers[0]):
            try:
                return str(getattr(maker, what)()).strip()
            except (AttributeError, NotImplementedError):  # faker has no such maker in this language
                continue
        raise KeyError(what)

    def _name(self) -> str:
        faker: Any = self._random.choice(self._fakers)
        first, last = str(faker.first_name()), str(faker.last_name())
        if self._random.random() < 0.3:
            last = self._of("last_name")
        middle = self._random.choice(["", "", "", "", f"{self._random.choice('ABCDEFGHJKLMNPRSTW')}. ", f"{first} "])
        after = " MD" if self._random.random() < 0.03 else ""
        return f"{first} {middle}{last}{after}"

    def _street_name(self) -> str:
        return self._one(
            lambda: f"{self._random.choice(_TREES)} {self._random.choice(_STREETS)}",
            lambda: f"{self._of('last_name')} {self._random.choice(_STREETS)}",
            lambda: self._of("street_name"),
            lambda: self._of("street_name"),
        )

    def _street(self) -> str:
        number = str(self._random.randint(1, 999))
        return self._one(
            lambda: f"{number} {self._street_name()}",
            lambda: f"{number} {self._street_name()}",
            lambda: f"{self._of('street_name')} {number}",
            lambda: (
                f"{self._random.choice(['Flat', 'Apt.', 'Unit', 'Suite'])} {self._random.randint(1, 99)}, {number} "
                f"{self._street_name()}"
            ),
        )

    def _address(self) -> str:
        join = self._random.choice([", ", "\n", "\n ", ", "])
        unit = self._random.choice(["", "", f"{join}Apt. {self._random.randint(1, 999)}", f"{join}Suite 12"])
        place = f"{self._of('city')}"
        code = self._of("postcode")
        return self._one(
            lambda: self._of("address").replace("\n", join),
            lambda: f"{self._street()}{unit}{join}{place}",
            lambda: f"{self._street()}{unit}{join}{place}{join}{self.fill('country')} {code}",
            lambda: f"{self._street()}{unit}{join}{place}, {self._random.choice(_STATES)} {code}",
            lambda: (
                f"{self._random.choice(['Unit', 'PSC'])} {self._random.randint(100, 9999)}"
                f"{self._random.choice([' ', ', '])}Box "
                f"{self._random.randint(1, 9999)}\n{self._random.choice(['DPO', 'APO', 'FPO'])} "
                f"{self._random.choice(['AA', 'AE', 'AP'])} {self._random.randint(10000, 99999)}"
            ),
            lambda: f"P.O. Box {self._random.randint(1, 9999)}{join}{place} {code}",
            lambda: f"the corner of {self._street_name()} and {self._street_name()}",
        )

    def _organisation(self) -> str:
        made = "".join(self._random.sample(_MADE, 2))
        trade = self._random.choice(_TRADES)
        return self._one(
            lambda: self._of("company"),
            lambda: f"{self._of('last_name')}{self._random.choice(_LEGAL)}",
            lambda: f"{made.capitalize()}{self._random.choice(_LEGAL)}",
            lambda: f"{made.title()} {trade}",
            lambda: f"{self._of('last_name')} {trade}",
            lambda: f"{self._random.choice(_TREES)} {trade}{self._random.choice(_LEGAL)}",
            lambda: f"{trade} for {self._random.choice(_TRADES)}",
            lambda: "".join(self._random.sample("ABCDEFGHIKLMNOPRSTUVW", 3)),
            lambda: f"{self._of('last_name')} and {self._of('last_name')}",
            lambda: f"{self._of('city')} {trade}",
        )

    def _hospital(self) -> str:
        of = self._one(
            lambda: self._of("city"), lambda: self._of("last_name"), lambda: f"St. {self._of('first_name')}'s"
        )
        return f"{of} {self._random.choice(_HOSPITALS)}"

    def _date(self) -> str:
        faker: Any = self._fakers[0]
        day = faker.date_between(_FIRST_DAY, _LAST_DAY)
        month = day.strftime("%B")
        return self._random.choice(
            [
                f"{day.month}/{day.day}/{day.year}",
                f"{day.day:02}/{day.month:02}/{day.year}",
                day.isoformat(),
                f"{day.day}.{day.month}.{day.year}",
                f"{month} {day.day}, {day.year}",
                f"{day.day} {month} {day.year}",
                f"{day.day} {month}",
                f"{month} {day.day}",
                f"{day.strftime('%a %b')} {day.day} 10:04:21 {day.year}",
                f"{month} {day.year}",
            ]
        )

    def _digits(self, count: int) -> str:
        return "".join(self._random.choice("0123456789") for _ in range(count))

    def _phone(self) -> str:
        digits = self._digits(10)
        return self._one(
            lambda: self._of("phone_number"),
            lambda: self._of("phone_number"),
            lambda: "-".join(self._digits(2) for _ in range(self._random.choice([3, 4, 5]))),
            lambda: f"{self._digits(3)} {self._digits(3)} {self._digits(3)}",
            lambda: f"0{digits}",
            lambda: " ".join(_DIGITS[int(digit)] for digit in f"0{digits}"),
        )

    def _number(self) -> str:
        return self._one(
            lambda: self._digits(self._random.randint(6, 12)),
            lambda: f"{self._digits(3)}-{self._digits(2)}-{self._digits(4)}",
            lambda: f"{self._random.choice('ABCDEFGHX')}{self._digits(self._random.randint(6, 9))}",
            lambda: f"{self._digits(3)} {self._digits(3)} {self._digits(4)}",
            lambda: (
                f"{self._random.choice(['AB', 'XK', 'QQ'])} {self._digits(2)} {self._digits(2)} {self._digits(2)} C"
            ),
            lambda: " ".join(_DIGITS[int(digit)] for digit in self._digits(8)),
        )

    def _card(self) -> str:
        return self._one(
            lambda: self._of("credit_card_number"),
            lambda: " ".join(self._digits(4) for _ in range(4)),
        )

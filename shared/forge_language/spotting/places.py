"""Finds countries and organisations by their form: a closed list, and the words that firms end in."""

from functools import lru_cache
from typing import Final

from forge_language.spotting.tokens import Found, Token, found, is_written, low_at
from forge_language.spotting.vocabulary import phrase_list, word_set

_COUNTRIES: Final = phrase_list("""
afghanistan|albania|algeria|andorra|angola|antigua and barbuda|argentina|armenia|aruba|australia|austria|azerbaijan|
bahamas|bahrain|bangladesh|barbados|belarus|belgium|belize|benin|bermuda|bhutan|bolivia|bosnia|bosnia and herzegovina|
botswana|brazil|brunei|bulgaria|burkina faso|burma|burundi|cambodia|cameroon|canada|cape verde|cabo verde|
central african republic|chad|chile|china|colombia|comoros|congo|costa rica|ivory coast|cote d'ivoire|côte d'ivoire|
croatia|cuba|cyprus|czech republic|czechia|democratic republic of the congo|republic of the congo|denmark|djibouti|
dominica|dominican republic|east timor|timor-leste|ecuador|egypt|el salvador|england|equatorial guinea|eritrea|
estonia|eswatini|ethiopia|fiji|finland|france|french guiana|gabon|gambia|georgia|germany|ghana|gibraltar|
great britain|greece|greenland|grenada|guadeloupe|guam|guatemala|guinea|guinea-bissau|guyana|haiti|holland|honduras|
hong kong|hungary|iceland|india|indonesia|iran|iraq|ireland|northern ireland|israel|italy|jamaica|japan|jordan|
kazakhstan|kenya|kiribati|kosovo|kuwait|kyrgyzstan|laos|latvia|lebanon|lesotho|liberia|libya|liechtenstein|lithuania|
luxembourg|macau|macedonia|north macedonia|madagascar|malawi|malaysia|maldives|mali|malta|marshall islands|martinique|
mauritania|mauritius|mexico|micronesia|moldova|monaco|mongolia|montenegro|morocco|mozambique|myanmar|namibia|nauru|
nepal|netherlands|kingdom of the netherlands|new caledonia|new zealand|nicaragua|niger|nigeria|north korea|norway|
oman|pakistan|palau|palestine|panama|papua new guinea|paraguay|people's republic of china|peru|philippines|poland|
portugal|puerto rico|qatar|romania|russia|rwanda|saint lucia|saint vincent and the grenadines|saint kitts and nevis|
samoa|san marino|saudi arabia|scotland|senegal|serbia|seychelles|sierra leone|singapore|slovakia|slovenia|
solomon islands|somalia|south africa|south korea|south sudan|spain|sri lanka|sudan|suriname|swaziland|sweden|
switzerland|syria|taiwan|tajikistan|tanzania|thailand|tibet|togo|tonga|trinidad|trinidad and tobago|tunisia|turkey|
turkmenistan|tuvalu|uganda|ukraine|united arab emirates|united kingdom|united states|united states of america|uruguay|
uzbekistan|vanuatu|vatican city|venezuela|vietnam|wales|yemen|zambia|zimbabwe
""")
"""Countries and what is called so. Source: the short names of ISO 3166-1 and those in use."""

_WORDS_TOO: Final = frozenset({"turkey", "china", "chile", "chad", "jordan", "georgia", "guinea", "jersey", "wales"})
"""Countries that are food, tableware or people's names: in small letters only after a word of place."""

_PLACE_CUES: Final = word_set("in to from of via across near through visit visited leave left for at")

_FIRM_ENDINGS: Final = word_set("""
inc ltd llc plc gmbh corp corporation limited llp ag bv pty
""")
_LONGEST_FIRM: Final = 4
_GAPS: Final = frozenset({" ", "-", " & ", ", ", "  "})


def places(tokens: list[Token]) -> list[Found]:
    """Find countries (LOCATION), and firms by their legal form (ORGANISATION)."""
    spans: list[Found] = []
    written = is_written(tokens)
    place = 0
    while place < len(tokens):
        last = _country(tokens, place, written=written)
        if last is not None:
            spans.append(found("LOCATION", tokens, place, last))
            place = last
        elif tokens[place].low in _FIRM_ENDINGS:
            floor = spans[-1].last + 1 if spans else 0
            first = _firm(tokens, place, floor, written=written)
            if first < place:
                spans.append(found("ORGANISATION", tokens, first, place))
        place += 1
    return spans


def _country(tokens: list[Token], place: int, *, written: bool) -> int | None:
    """Return the last token of the longest country name that starts at a place."""
    best: int | None = None
    for words in _countries().get(tokens[place].stem, ()):
        last = place + len(words) - 1
        inside = all(
            place + number < len(tokens) and tokens[place + number].stem == word for number, word in enumerate(words)
        )
        if inside and all(tokens[at].gap in _GAPS for at in range(place + 1, last + 1)):
            best = last
    if best == place:
        if written and not tokens[place].capital:
            return None
        doubtful = tokens[place].stem in _WORDS_TOO
        if doubtful and low_at(tokens, place - 1) not in _PLACE_CUES:
            return None
    return best


def _firm(tokens: list[Token], place: int, floor: int, *, written: bool) -> int:
    """Return the first token of the firm whose legal form stands at a place; the place itself when there is none."""
    first = place
    while first - 1 >= floor and place - first < _LONGEST_FIRM and tokens[first].gap in _GAPS:
        before = tokens[first - 1]
        if before.shape != "word" or not (before.capital if written else first == place):
            break
        first -= 1
    return first


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[tuple[str, ...]]]:
    """Return the names by their first word, the longest last."""
    index: dict[str, list[tuple[str, ...]]] = {}
    for name in sorted(_COUNTRIES, key=len):
        words = tuple(name.replace("-", " ").split())
        index.setdefault(words[0], []).append(words)
    return index

"""Finds telephone numbers, postcodes and long record numbers among spelled and written digits."""

import re
from itertools import pairwise
from typing import Final

from forge_language.spotting.counting import Run, runs
from forge_language.spotting.tokens import Found, Kind, Token, found, low_at
from forge_language.spotting.vocabulary import word_set

_AREAS: Final = word_set("""
ab al b ba bb bd bh bl bn br bs bt ca cb cf ch cm co cr ct cv cw da dd de dg dh dl dn dt dy e ec eh en ex fk fy g gl
gu gy ha hd hg hp hr hs hu hx ig im ip iv ka kt kw ky l la ld le ll ln ls lu m me mk ml n ne ng nn np nr nw ol ox pa
pe ph pl po pr rg rh rm s sa se sg sk sl sm sn so sp sr ss st sw sy ta td tf tn tq tr ts tw ub w wa wc wd wf wn wr ws
wv yo ze
""")
"""Postcode areas of the United Kingdom. Source: Royal Mail, Programmers' Guide to the Postcode Address File."""

_SPOKEN_AREAS: Final = frozenset(area for area in _AREAS if len(area) > 1) - {"me", "so", "in", "da", "la", "de"}
"""Areas that a recogniser may write as one word and that are no common word."""

_POSTCODE = re.compile(r"(?P<area>[a-z]{1,2})[0-9][a-z0-9]?[0-9][a-z]{2}")
"""Outward and inward code, BS 7666 without its rare special cases."""

_STATES: Final = word_set("""
alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana
iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska
nevada hampshire jersey mexico york carolina dakota ohio oklahoma oregon pennsylvania island tennessee texas utah
vermont virginia washington wisconsin wyoming al ak az ar ca co ct de fl ga ia id il ks ky la md ma mi mn ms mo mt ne
nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy
""")
_ZIP_LENGTHS: Final = frozenset({5, 9})

_POSTCODE_CUES: Final = frozenset({"postcode", "postcodes", "zip", "zipcode", "postal"})
_PHONE_CUES: Final = word_set("""
phone phones telephone mobile cell landline ring ringing call calling text dial extension ext tel fax whatsapp reach
handset bleep pager callback answerphone
""")
_NUMBER_CUES: Final = word_set("""
nhs hospital record records policy account acct insurance security ssn mrn reference ref licence license passport card
sort member membership patient case chart id identification identity file pin claim medicare medicaid serial code
registration plate booking order number no pension payroll badge locker iban credit debit
""")
_AMOUNT_WORDS: Final = word_set("""
pounds pound dollars dollar euros euro pence percent mg milligrams ml millilitres units steps calories people miles
kilometres metres times years hours minutes seconds grams kilos quid
""")
_CUE_REACH: Final = 8
"""A cue counts up to this many words before the number: "my number if you need to call is ..." """

_PHONE_LENGTHS: Final = range(7, 16)
"""Digits of a telephone number without a cue; 15 at most. Source: ITU-T E.164."""

_UNCUED_DIGITS: Final = 5
"""Digits from which a number identifies without a cue."""

_CUED_DIGITS: Final = 4
"""Digits from which a number identifies after a cue; three-figure values are doses and readings."""

_LONGEST_SERIES: Final = 4
_PREFIX: Final = 2
"""Letters before a national insurance number, written apart."""

_UK_DIGITS: Final = (10, 11)


def postcodes(tokens: list[Token]) -> list[Found]:
    """Find postcodes of the United Kingdom anywhere, and ZIP codes after a cue or a state."""
    spans: list[Found] = []
    for run in runs(tokens, _SPOKEN_AREAS):
        start = 0
        while match := _POSTCODE.search(run.chars, start):
            begin, end = match.span()
            if match["area"] in _AREAS and run.whole_tokens(begin, end):
                spans.append(found("POSTCODE", tokens, run.places[begin], run.places[end - 1]))
                start = end
            else:
                start = begin + 1
        if not start and run.chars.isdigit() and len(run.chars) in _ZIP_LENGTHS and _zip_cue(tokens, run):
            spans.append(found("POSTCODE", tokens, run.places[0], run.places[-1]))
    return spans


def _zip_cue(tokens: list[Token], run: Run) -> bool:
    first = run.places[0]
    before = low_at(tokens, first - 1)
    if before in _STATES and (len(before) > 2 or tokens[first - 1].raw.isupper()):  # noqa: PLR2004 (abbreviations)
        return True
    return _nearest_cue(tokens, first) == "POSTCODE"


def numbers(tokens: list[Token]) -> list[Found]:
    """Find telephone numbers and other long numbers; dates, postcodes and addresses are hidden before."""
    spans: list[Found] = []
    for run in runs(tokens, frozenset()):
        for stretch in _digit_stretches(run):
            begin, end = _whole(run, *stretch)
            kind = _kind(tokens, run, begin, end)
            if kind is not None:
                first = run.places[begin]
                spans.append(
                    found(kind, tokens, first - (kind == "NUMBER" and _has_series(tokens, first)), run.places[end - 1])
                )
    return spans


def _has_series(tokens: list[Token], first: int) -> bool:
    """Say whether letters before the number belong to it, as in AB-1234567 or QQ 12 34 56 C."""
    before = tokens[first - 1] if first else None
    if before is None or not before.low.isalpha() or len(before.low) > _LONGEST_SERIES:
        return False
    return tokens[first].gap == "-" or (
        tokens[first].gap == " " and before.raw.isupper() and len(before.raw) == _PREFIX
    )


def _digit_stretches(run: Run) -> list[tuple[int, int]]:
    """Return where codes are: from the first to the last digit, with letters that belong to them."""
    first = next((place for place, mark in enumerate(run.chars) if mark.isdigit()), None)
    if first is None:
        return []
    last = max(place for place, mark in enumerate(run.chars) if mark.isdigit())
    # Up to three letters before and two after a number are its series ("q q one two ... c"); "a" and "i" are words.
    begin = first
    while begin > 0 and first - begin < 3 and run.chars[begin - 1] != "i":  # noqa: PLR2004 (letters of a series)
        begin -= 1
    if first - begin == 1 and run.chars[begin] == "a" and run.places[begin] != run.places[first]:
        begin = first
    end = last + 1
    while end < len(run.chars) and end - last < 3 and run.chars[end] not in "ai":  # noqa: PLR2004 (as above)
        end += 1
    return [(begin, end)]


def _whole(run: Run, begin: int, end: int) -> tuple[int, int]:
    while begin > 0 and run.places[begin - 1] == run.places[begin]:
        begin -= 1
    while end < len(run.chars) and run.places[end] == run.places[end - 1]:
        end += 1
    return begin, end


def _kind(tokens: list[Token], run: Run, begin: int, end: int) -> Kind | None:
    chars = run.chars[begin:end].replace("o", "0")
    digits = sum(mark.isdigit() for mark in chars)
    first, last = run.places[begin], run.places[end - 1]
    if "/" in "".join(token.gap for token in tokens[first + 1 : last + 1]):
        return None
    cue = _nearest_cue(tokens, first)
    if digits < (_UNCUED_DIGITS if cue is None else _CUED_DIGITS) or _is_amount(tokens, first, last):
        return None
    if _is_counting(chars) and cue is None:
        return None
    if chars.isdigit():
        looks_dialled = run.plus or (chars[0] == "0" and digits in _UK_DIGITS) or _is_grouped(tokens, first, last)
        if cue == "PHONE" or (digits in _PHONE_LENGTHS and looks_dialled and not _says_number(tokens, first)):
            return "PHONE"
    return "NUMBER"


def _is_grouped(tokens: list[Token], first: int, last: int) -> bool:
    """Say whether the digits are set as telephone numbers are: 555-0134, (555) 123-4567, 555.123.4567."""
    if "(" in tokens[first].gap:
        return True
    groups = [token.raw for token in tokens[first : last + 1]]
    if not all(group.isdecimal() for group in groups):
        return False
    shape = tuple(len(group) for group in groups)
    dashed = any(mark in token.gap for token in tokens[first + 1 : last + 1] for mark in "-.")
    return (dashed and shape[-2:] == (3, 4)) or (dashed and shape[:1] == (1,) and shape[1:] == (3, 3, 4))


def _says_number(tokens: list[Token], first: int) -> bool:
    """Say whether a word other than "number" names the kind of record right before."""
    before = {low_at(tokens, place) for place in range(max(0, first - 4), first)}
    return bool(before & (_NUMBER_CUES - {"number", "no", "code", "order", "hospital", "patient", "case"}))


def _nearest_cue(tokens: list[Token], first: int) -> Kind | None:
    generic = False
    for place in range(first - 1, max(-1, first - 1 - _CUE_REACH), -1):
        word = low_at(tokens, place)
        if word in _POSTCODE_CUES:
            return "POSTCODE"
        if word in _PHONE_CUES:
            return "PHONE"
        if word in {"number", "numbers", "no", "code"}:
            generic = True
        elif word in _NUMBER_CUES:
            return "NUMBER"
        if tokens[place].opens_sentence and place < first - 1 and "." in tokens[place].gap:
            break
    return "NUMBER" if generic else None


def _is_amount(tokens: list[Token], first: int, last: int) -> bool:
    return any(sign in tokens[first].gap for sign in "£$€") or low_at(tokens, last + 1) in _AMOUNT_WORDS


def _is_counting(chars: str) -> bool:
    """Say whether someone just counts up or down: one two three four five."""
    values = [ord(mark) for mark in chars]
    steps = {after - before for before, after in pairwise(values)}
    return len(steps) == 1 and steps <= {1, -1}

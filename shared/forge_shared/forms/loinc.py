"""LOINC codes and their check digit."""

import re

SYSTEM = "http://loinc.org"

_CODE = re.compile(r"((?:LA|LL|LP)?\d{1,7})-(\d)")


def is_valid(code: str) -> bool:
    """Tell whether ``code`` is shaped like a LOINC code, or an answer, list or part code, and its check digit is right.

    Source: LOINC Users' Guide, appendix on the check digit: modulus 10 after Luhn, over what stands before the hyphen.
    The letters of LA, LL and LP codes enter with their ASCII code less that of zero; published codes confirm it.
    """
    match = _CODE.fullmatch(code)
    return match is not None and _check_digit(match[1]) == int(match[2])


def _check_digit(body: str) -> int:
    values = [ord(character) - ord("0") for character in reversed(body)]
    doubled = (sum(int(digit) for digit in str(2 * value)) for value in values[::2])
    return -(sum(doubled) + sum(values[1::2])) % 10

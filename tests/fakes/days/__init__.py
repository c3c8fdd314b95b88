"""Simulated days in a patient room, as the keypoints that a camera's pose network would report.

``make_day(seed)`` or ``python -m tests.fakes.days --seed N --out FOLDER``. The days judge whatever watches for falls
and danger, so nothing here knows how that is done.
"""

from tests.fakes.days.day import Day, make_day
from tests.fakes.days.plan import INCIDENTS_A_DAY, script
from tests.fakes.days.stage import Limits, Truth

__all__ = ["INCIDENTS_A_DAY", "Day", "Limits", "Truth", "make_day", "script"]

"""Where the marks of a chart stand, in the units of its drawing. Pure: figures in, places out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

from forge_hub.mind import intervals
from forge_hub.mind.figures import Reading, SessionTold
from forge_hub.mind.intervals import Estimate, Sums
from forge_hub.web.findings import FormView

COLUMNS: Final = 20
"""Sessions and forms of one drawing, the newest ones. Ours: as many as stand beside each other on a wide screen; the
table below has them all."""

LEFT: Final = 4
COLUMN: Final = 60
"""Width of a column. Ours: a day over its month can be read and pressed in it; a page holds twenty, a phone four."""
TOP: Final = 44
HEIGHT: Final = 250
FORM_TOP: Final = TOP + HEIGHT + 78
FORM_HEIGHT: Final = 110
FEW: Final = 5
"""Readings below which a session's mark is hollow and called few. Ours: the interval of five spans half the scale."""


_MODES: Final[Mapping[str, str]] = {"voice": "voice", "touch": "touch", "text": "written", "staff": "staff"}


@dataclass(frozen=True, slots=True)
class Told:
    """What the readings of one session amount to. ``mean`` is absent of fewer than two."""

    session: SessionTold
    readings: int
    high: float | None
    middle: float | None
    low: float | None
    highest: Reading | None
    lowest: Reading | None
    valence: Estimate | None
    arousal: Estimate | None
    distorted: Estimate | None
    is_new: bool
    turn: str

    @property
    def is_few(self) -> bool:
        """Whether it rests on so few readings that nothing should be read from it."""
        return self.readings < FEW


@dataclass(frozen=True, slots=True)
class Column:
    """One session or one form of the course: a place along the drawing, with either's marks."""

    x: float
    day: str
    told: Told | None = None
    form: FormView | None = None
    high: float = 0
    low: float = 0
    middle: float = 0
    mean: float | None = None
    mean_high: float = 0
    mean_low: float = 0
    bar: float = 0
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """The course of sessions and forms. ``line`` joins the means."""

    width: float
    height: float
    columns: Sequence[Column]
    line: str
    left_out: int


@dataclass(frozen=True, slots=True)
class Bar:
    """The share of utterances with any thinking pattern in one session."""

    x: float
    day: str
    told: Told
    top: float
    high: float
    low: float


@dataclass(frozen=True, slots=True)
class Spark:
    """A small trend of valence: the line of means, the band of their intervals, and its last place."""

    line: str
    band: str
    dots: Sequence[tuple[float, float]]
    words: str


def told_of(
    sessions: Sequence[SessionTold],
    readings: Sequence[Reading],
    new_since: datetime | None,
    turns: Mapping[str, str],
) -> list[Told]:
    """Return what each session's readings amount to, in the order of the sessions."""
    by_session: dict[str, list[Reading]] = {}
    for each in readings:
        by_session.setdefault(each.session, []).append(each)
    return [_told(each, by_session.get(each.id, []), new_since, turns.get(each.id, "")) for each in sessions]


def course_of(told: Sequence[Told], forms: Sequence[FormView]) -> Course:
    """Return the course of sessions and of forms that have a total, in the order of time, evenly spaced."""
    scored = [form for form in forms if form.total is not None]
    marks: list[tuple[datetime, Told | FormView]] = [(each.session.started_at, each) for each in told]
    marks += [(form.recorded_at, form) for form in scored]
    marks.sort(key=lambda mark: mark[0])
    shown = marks[-COLUMNS:]
    columns = [_column(_x(place), at, mark) for place, (at, mark) in enumerate(shown)]
    line = " ".join(f"{each.x:.1f},{each.mean:.1f}" for each in columns if each.mean is not None)
    height = FORM_TOP + FORM_HEIGHT + 86 if scored else TOP + HEIGHT + 66
    return Course(_x(len(columns)), height, columns, line, len(marks) - len(shown))


def bars_of(told: Sequence[Told]) -> list[Bar]:
    """Return the share of distorted utterances of the newest sessions in which anything was said."""
    shown = [each for each in told if each.distorted is not None][-COLUMNS:]
    return [
        Bar(
            x=_x(place),
            day=day_of(each.session.started_at),
            told=each,
            top=_share_y(each.distorted.value),
            high=_share_y(each.distorted.high),
            low=_share_y(each.distorted.low),
        )
        for place, each in enumerate(shown)
        if each.distorted is not None
    ]


def spark_of(trend: Sequence[tuple[datetime, Sums]], width: float = 150, height: float = 46) -> Spark | None:
    """Return a small trend of mean valence; None of fewer than two sessions."""
    estimates = [(sums, intervals.mean(sums)) for _, sums in trend]
    if len(estimates) < 2:  # noqa: PLR2004 (a line joins two places)
        return None

    def place(number: int, value: float) -> tuple[float, float]:
        return 6 + number * (width - 12) / (len(estimates) - 1), 4 + (1 - value) / 2 * (height - 8)

    middles = [place(number, sums.mean) for number, (sums, _) in enumerate(estimates)]
    highs = [place(number, found.high if found else 1) for number, (_, found) in enumerate(estimates)]
    lows = [place(number, found.low if found else -1) for number, (_, found) in enumerate(estimates)]
    last = estimates[-1][0]
    return Spark(
        line=_points(middles),
        band=_points([*highs, *reversed(lows)]),
        dots=[middles[-1]],
        words=f"mean valence of the last {len(estimates)} sessions, now {last.mean:+.2f} from {last.n} utterances",
    )


def day_of(at: datetime) -> str:
    """Return a day as short as it can be told."""
    return at.strftime("%-d %b")


def _x(place: int) -> float:
    """Return the middle of a column by its place; of one more than there are, where the drawing ends."""
    return LEFT + (place + 0.5) * COLUMN


def _told(session: SessionTold, found: Sequence[Reading], new_since: datetime | None, turn: str) -> Told:
    valences = [each.valence for each in found]
    return Told(
        session=session,
        readings=len(found),
        high=max(valences, default=None),
        middle=median(valences) if valences else None,
        low=min(valences, default=None),
        highest=max(found, key=lambda each: each.valence, default=None),
        lowest=min(found, key=lambda each: each.valence, default=None),
        valence=intervals.mean(Sums.of(valences)),
        arousal=intervals.mean(Sums.of([each.arousal for each in found])),
        distorted=intervals.share(session.distorted, session.read),
        is_new=new_since is not None and session.started_at > new_since,
        turn=turn,
    )


def _column(x: float, at: datetime, mark: Told | FormView) -> Column:
    if isinstance(mark, FormView):
        share = (mark.total or 0) / mark.maximum if mark.maximum else 0
        return Column(x, day_of(at), form=mark, bar=FORM_TOP + FORM_HEIGHT * (1 - share), mode=_mode(mark.modes))
    if mark.high is None or mark.low is None or mark.middle is None:
        return Column(x, day_of(at), told=mark)
    return Column(
        x=x,
        day=day_of(at),
        told=mark,
        high=_valence_y(mark.high),
        low=_valence_y(mark.low),
        middle=_valence_y(mark.middle),
        mean=_valence_y(mark.valence.value) if mark.valence else None,
        mean_high=_valence_y(mark.valence.high) if mark.valence else 0,
        mean_low=_valence_y(mark.valence.low) if mark.valence else 0,
    )


def _mode(modes: Sequence[str]) -> str:
    """Return in a word how a form was answered; where ways were mixed, that."""
    return "mixed" if len(modes) > 1 else _MODES.get(modes[0], "unknown") if modes else "unknown"


def _valence_y(value: float) -> float:
    return TOP + (1 - value) / 2 * HEIGHT


def _share_y(value: float) -> float:
    return TOP + (1 - value) * HEIGHT


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)

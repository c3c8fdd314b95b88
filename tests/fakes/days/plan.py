"""Which incidents and habits fill a day, and when; then the day is played from midnight to midnight."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from tests.fakes.days import habits, incidents
from tests.fakes.days.actor import Actor, Span, within
from tests.fakes.days.room import build_room
from tests.fakes.days.stage import DAY_S, HOUR_S, Limits, Stage, Truth

INCIDENTS_A_DAY = 20
LATEST_S = 1800.0
"""A habit that would begin later than this after its time is left out; an incident never is."""

_Episode = Callable[[Stage], None]
_BY_NIGHT: dict[_Episode, float] = {
    incidents.fall_from_bed: 0.8,
    incidents.bed_exit: 1.0,
    incidents.stranger_at_night: 1.0,
    incidents.fall_standing: 0.3,
    incidents.fall_in_doorway: 0.4,
    incidents.fall_seldom_seen: 0.3,
    incidents.fall_and_get_up: 0.3,
}
"""Share of these that happen at night; the others happen by day, blindness at night in three of ten."""


def script(seed: int) -> Stage:
    """Write the whole day of a seed: who moves when, and what is true; nothing is seen yet."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 1])))
    room = build_room(rng)
    patient = Actor("patient", rng.uniform(1.5, 1.88), rng, 0.0, room.places["bed"])
    stage = Stage(room, rng, Limits(bed_exit=bool(rng.random() < 0.7)), patient)
    patient.take("supine", 0.05, at=room.places["bed"], z=0.62)
    for at_s, episode, is_habit in sorted(_agenda(stage), key=lambda entry: entry[0]):
        if is_habit and stage.now > at_s + LATEST_S:
            continue
        stage.idle_until(max(at_s, stage.now + rng.uniform(60, 200)))
        episode(stage)
    stage.idle_until(DAY_S)
    stage.uncover()
    for somebody in (patient, *stage.others):
        somebody.leave()
    stage.truth.sort(key=lambda line: (line.at_s, line.until_s))
    _finish_picture(stage)
    return stage


def _agenda(stage: Stage) -> list[tuple[float, _Episode, bool]]:
    rng = stage.rng
    nights: list[_Episode] = []
    days: list[_Episode] = []
    for episode in _chosen(stage):
        share = _BY_NIGHT.get(episode, 0.3 if episode.__name__ == "happen" else 0.0)
        (nights if rng.random() < share else days).append(episode)
    early = nights[: -(-len(nights) * 3 // 4)]
    late = nights[len(early) :]
    out = [
        (at_s, episode, False)
        for among, since_h, until_h in ((early, 0.3, 5.5), (days, 6.6, 20.3), (late, 22.1, 23.5))
        for at_s, episode in _spread(among, since_h, until_h, rng)
    ]
    routine: list[tuple[float, float, _Episode]] = [
        # earliest and latest hour
        (0.1, 0.2, habits.night_round), (2.0, 2.6, habits.night_round), (4.3, 5.0, habits.night_round),
        (22.9, 23.1, habits.night_round), (1.0, 4.5, habits.night_bathroom), (1.0, 5.0, habits.long_edge),
        (6.6, 7.2, habits.morning_care), (7.4, 7.9, habits.meal), (8.2, 9.5, habits.cleaning),
        (11.9, 12.4, habits.meal), (17.4, 18.0, habits.meal), (9.5, 11.5, habits.physiotherapy),
        (8.5, 16.0, habits.wheelchair), (14.0, 16.0, habits.visit), (16.0, 18.5, habits.visit_with_child),
        (8.0, 12.0, habits.bathroom), (13.0, 20.5, habits.bathroom), (8.0, 14.0, habits.pick_up),
        (14.0, 21.0, habits.pick_up), (8.0, 21.0, habits.slippers), (8.0, 21.0, habits.drop_onto_bed),
        (12.5, 13.5, habits.drop_onto_bed), (8.0, 21.0, habits.sit_down_heavily), (21.4, 21.6, Stage.to_bed),
    ]  # fmt: skip
    out += [(rng.uniform(low, high) * HOUR_S, episode, True) for low, high, episode in routine]
    return out


def _chosen(stage: Stage) -> list[_Episode]:
    """Return the twenty incidents of the day in an order of chance: each kind at least once, then some again."""
    watched: list[_Episode] = [incidents.bed_exit] if stage.limits.bed_exit else []
    chosen: list[_Episode] = [
        incidents.fall_standing, incidents.fall_seldom_seen, incidents.fall_from_bed, incidents.fall_from_chair,
        incidents.fall_in_doorway, incidents.slide_down_wall, incidents.fall_behind_bed, incidents.fall_and_get_up,
        incidents.left_room, incidents.stranger_at_night, incidents.immobile_on_chair,
        (incidents.absent_in_bathroom, incidents.absent_outside)[int(stage.rng.integers(2))],
        *watched, *(incidents.blind(what) for what in ("covered", "frozen", "moved", "black", "dropped")),
    ]  # fmt: skip
    more: list[_Episode] = [
        incidents.fall_standing, incidents.fall_from_bed, incidents.fall_from_chair, incidents.fall_and_get_up,
        incidents.absent_in_bathroom, incidents.absent_outside, incidents.immobile_on_floor,
        incidents.left_room, incidents.stranger_at_night, *watched, *watched,
    ]  # fmt: skip
    again = stage.rng.permutation(len(more))[: INCIDENTS_A_DAY - len(chosen)]
    chosen += [more[int(i)] for i in again]
    return [chosen[int(i)] for i in stage.rng.permutation(len(chosen))]


def _spread(
    among: list[_Episode], since_h: float, until_h: float, rng: np.random.Generator
) -> list[tuple[float, _Episode]]:
    part = (until_h - since_h) / max(len(among), 1)
    return [((since_h + part * (i + rng.uniform(0.05, 0.6))) * HOUR_S, episode) for i, episode in enumerate(among)]


def _finish_picture(stage: Stage) -> None:
    """Add the lamps of morning and evening, and what befalls any camera now and then, away from incidents."""
    rng, picture = stage.rng, stage.picture
    picture.lights += [(rng.uniform(6.1, 6.5) * HOUR_S, 8 * HOUR_S), (17 * HOUR_S, rng.uniform(21.6, 21.95) * HOUR_S)]
    busy: list[Span] = [(line.at_s - 60, line.until_s + 60) for line in stage.truth if line.kind != "benign"]
    kinds: tuple[tuple[Literal["passing", "refocus", "false_person"], int, float, float], ...] = (
        ("passing", 4, 2.0, 4.0),
        ("refocus", 10, 1.5, 3.0),
        ("false_person", 5, 1.0, 12.0),
    )
    for kind, count, shortest, longest in kinds:
        spans: list[Span] = getattr(picture, kind)
        for at_s in rng.uniform(600, DAY_S - 600, count):
            if not within(busy, np.array([at_s])).any():
                spans.append((float(at_s), float(at_s + rng.uniform(shortest, longest))))
                if kind == "passing":
                    note = "something hangs before the camera for seconds"
                    stage.truth.append(Truth("benign", at_s, spans[-1][1], "suspected", "camera", note, at_s))
        spans.sort()
    picture.lights = _joined(picture.lights)
    stage.truth.sort(key=lambda line: (line.at_s, line.until_s))


def _joined(spans: list[Span]) -> list[Span]:
    out: list[Span] = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1] + 5:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out

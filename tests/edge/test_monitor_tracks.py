"""Tracks: who is who from look to look."""

from dataclasses import replace

import numpy as np
from tests.fakes.looks import Stage

from forge_edge.monitor.body import FIRST_TILT, Body, body_of
from forge_edge.monitor.looks import Keypoints, Look
from forge_edge.monitor.tracks import GONE_SECONDS, LOST_SECONDS, SURE_LOOKS, UNSEEN_SECONDS, Moment, Tracks

MIRRORED = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(joint + 1 if joint % 2 else joint - 1 for joint in range(11, 33))]


def bodies(look: Look) -> list[Body]:
    return [body for person in look.people if (body := body_of(person, look.aspect, FIRST_TILT)) is not None]


def nowhere(_: Moment) -> bool:
    return False


def by_the_door(_: Moment) -> bool:
    return True


def followed(looks: list[Look], tracks: Tracks | None = None) -> Tracks:
    tracks = Tracks(nowhere) if tracks is None else tracks
    for look in looks:
        tracks.see(look.at_s, bodies(look))
    return tracks


def one_who_walks() -> list[Look]:
    stage = Stage()
    somebody = stage.somebody("near")
    somebody.walk(stage.room.places["window"])
    return stage.looks(somebody.now)


def two_who_walk() -> list[Look]:
    stage = Stage()
    for begins, ends in (("near", "window"), ("chair_front", "foot")):
        somebody = stage.somebody(begins)
        somebody.walk(stage.room.places[ends])
        somebody.wait(10, "awake")
    return stage.looks(8)


def test_who_walks_through_the_room_stays_one_person() -> None:
    tracks = followed(one_who_walks())
    assert [track.number for track in tracks.live] == [1]
    assert tracks.live[0].is_sure


def test_in_which_order_people_are_found_says_nothing() -> None:
    looks = two_who_walk()
    turned = [replace(look, people=look.people[:: -1 if place % 3 else 1]) for place, look in enumerate(looks)]
    straight, shuffled = followed(looks), followed(turned)
    assert len(shuffled.live) == 2
    one, other = ([track.last.body.hips for track in tracks.live] for tracks in (straight, shuffled))
    assert sorted(one) == sorted(other)
    for tracks in (straight, shuffled):
        for track in tracks.live:
            hips = np.array([moment.body.hips for moment in track.moments])
            assert np.abs(np.diff(hips, axis=0)).max() < 0.06, "nobody became somebody else on the way"


def test_left_and_right_taken_for_each_other_are_still_the_same_person() -> None:
    looks = [
        replace(look, people=tuple(person[MIRRORED] for person in look.people)) if place % 4 == 2 else look
        for place, look in enumerate(one_who_walks())
    ]
    assert [track.number for track in followed(looks).live] == [1]


def test_the_only_one_who_is_missing_since_a_moment_is_who_is_found_a_leap_away() -> None:
    looks = one_who_walks()
    begun, rest = looks[:15], looks[15:]
    leapt = [replace(look, people=tuple(_shifted(person, 0.25) for person in look.people)) for look in rest[5:]]
    assert [track.number for track in followed([*begun, *leapt]).live] == [1], "lost for half a second"
    far = [replace(look, people=tuple(_shifted(person, 0.55) for person in look.people)) for look in rest[5:]]
    assert len(followed([*begun, *far]).live) == 2, "and somebody else across the room"


def _shifted(person: Keypoints, by: float) -> Keypoints:
    moved = person.copy()
    moved[:, 0] += by
    return moved


def test_who_was_found_for_a_moment_or_is_hardly_visible_is_not_surely_somebody() -> None:
    looks = one_who_walks()[: SURE_LOOKS - 1]
    assert not followed(looks).live[0].is_sure
    faint = []
    for look in one_who_walks():
        person = look.people[0].copy()
        person[:, 3] = 0.3
        faint.append(replace(look, people=(person,)))
    assert not any(track.is_sure for track in followed(faint).live), "a coat on a chair"


def test_who_is_not_seen_is_still_there_and_has_not_left() -> None:
    looks = one_who_walks()
    tracks = followed(looks)
    last_s = looks[-1].at_s
    tracks.see(last_s + LOST_SECONDS - 1, [])
    assert [track.number for track in tracks.live] == [1]
    tracks.see(last_s + LOST_SECONDS + 1, [])
    assert tracks.live == []
    assert [track.number for track in tracks.unseen] == [1], "hidden, not gone"
    tracks.see(last_s + UNSEEN_SECONDS + 1, [])
    assert tracks.unseen == []


def test_who_was_seen_last_at_a_door_is_gone_soon_and_is_not_hidden() -> None:
    looks = one_who_walks()
    tracks = followed(looks, Tracks(by_the_door))
    tracks.see(looks[-1].at_s + GONE_SECONDS - 0.5, [])
    assert [track.number for track in tracks.live] == [1]
    tracks.see(looks[-1].at_s + GONE_SECONDS + 0.5, [])
    assert tracks.live == []
    assert [track.number for track in tracks.gone] == [1]
    assert tracks.unseen == []


def test_nobody_is_followed_over_what_was_not_seen() -> None:
    looks = one_who_walks()
    tracks = followed(looks)
    tracks.forget()
    tracks.see(looks[-1].at_s + 1, bodies(looks[-1]))
    assert [track.number for track in tracks.live] == [2]

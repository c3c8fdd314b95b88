"""Roll-outs on the admin's pages and by the API: what is asked for, what is shown of each room, and who may."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from tests.fakes.pages import ROOM, HubPages, client, csrf, open_pages

from forge_hub.errors import ReleaseError
from forge_hub.records.schema import Audit
from forge_hub.releases.rollout import Found, Window
from forge_hub.web.application import end_streams
from forge_hub.web.release_wording import lasting_words, refusal_words, size_words
from forge_hub.web.rollouts_view import BAR_WIDTH, bar, read_moment, read_rings, read_window, window_words

TARGET = "fall-pose-1.0.0.tar"


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in ("staff", "clinician", "admin"):
            opened.account(role)
        for node in (ROOM, "room-14", "room-15"):
            opened.room_connects(node)
        yield opened


def begun(pages: HubPages) -> str:
    pages.releases_wait()
    return pages.rollout_begins()


async def test_without_a_release_or_a_roll_out_the_pages_say_how_to_begin(pages: HubPages) -> None:
    async with client(pages, "admin") as http:
        assert "No roll-outs yet." in (await http.get("/rollouts")).text
        assert "No release is published yet." in (await http.get("/rollouts/new")).text
        assert "No groups yet." in (await http.get("/rollouts/groups")).text
        assert "No room is locked." in (await http.get("/locks")).text


async def test_a_roll_out_is_begun_as_the_form_says(pages: HubPages) -> None:
    rollout = begun(pages)
    pages.world.rollouts.withdraw(rollout, account="test", why="Tried")
    pages.world.rollouts.set_group("first-floor", [ROOM, "room-14"], account="test")
    async with client(pages, "admin") as http:
        form = {
            "csrf_token": csrf(pages, http),
            "target": TARGET,
            "groups": ["first-floor"],
            "rings": "10 %, 100",
            "days": ["0", "1"],
            "begins": "22:00",
            "ends": "05:00",
            "soak_hours": "2",
            "why": "Fewer misses",
        }
        refused = await http.post("/rollouts", data={**form, "rings": "all"})
        assert refused.status_code == 422
        assert "rings are shares of the rooms" in refused.text
        assert 'value="22:00"' in refused.text, "what was typed is kept"
        for wrong, words in (
            ({"why": " "}, "say why"),
            ({"target": "other-1.0.0.tar"}, "other-1.0.0.tar is not published"),
            ({"rings": "50, 10"}, "must rise"),
            ({"groups": ["cellar"]}, "there is no group cellar"),
            ({"soak_hours": "long"}, "a number of hours"),
        ):
            again = await http.post("/rollouts", data={**form, **wrong})
            assert again.status_code == 422
            assert words in again.text
        answer = await http.post("/rollouts", data=form)
        assert answer.status_code == 303
        shown = (await http.get(answer.headers["location"])).text
    state = pages.world.rollouts.all()[0]
    assert ([ring.share for ring in state.rings], state.groups) == ([10, 100], ("first-floor",))
    assert state.window == Window(frozenset({0, 1}), time(22), time(5))
    assert "Monday, Tuesday, 22:00 to 05:00" in shown
    assert "by admin" in shown


async def test_every_room_is_shown_with_how_far_it_is_and_why_it_refused(pages: HubPages) -> None:
    pages.room_connects("room-16")
    rollout = begun(pages)
    pages.world.room_does(rollout, ROOM, state="failed", reason="golden-differs")
    pages.world.room_says(rollout, "room-14", state="fetching", percentage=34)
    pages.world.room_does(rollout, "room-15", state="failed", reason="never-heard-of")
    pages.world.room_does(rollout, "room-16", state="left-out", ring=0, reason="hardware")
    pages.world.room_measures(rollout, ROOM, latency_ms=43.21)
    words = "1 of 3 rooms got another output"
    pages.world.hub_finds(rollout, [Found("golden", "all", "bad", 1.0, None, 3, words)], "soak")
    async with client(pages, "admin") as http:
        page = (await http.get(f"/rollouts/{rollout}")).text
        api = (await http.get(f"/v1/admin/rollouts/{rollout}")).json()
    for shown in (
        *(
            "its golden inputs gave another output here",
            "34 %",
            "never-heard-of",
            words,
            "Ring 1, the canary",
            "43.2 ms",
        ),
        *("it is not made for this machine", "waits until it has been in use long enough"),
    ):
        assert shown in page
    assert 'aria-label="All rooms: 1 told, 1 left out, 2 failed"' in page
    assert api["counts"] == {"failed": 2, "directed": 1, "left-out": 1}
    reasons = {room["node"]: room["reason"] for ring in api["rings"] for room in ring["rooms"]}
    assert reasons == {ROOM: "golden-differs", "room-14": None, "room-15": "never-heard-of"}


async def test_a_room_that_is_not_waited_for_any_more_is_shown_with_why_and_so_is_the_pause(pages: HubPages) -> None:
    rollout = begun(pages)
    pages.world.room_does(rollout, ROOM, state="on-trial", reason="trial-closed")
    pages.world.rollouts.pause(rollout, account="hub", why="too little is known from ring 1")
    async with client(pages, "admin") as http:
        page = (await http.get(f"/rollouts/{rollout}")).text
    assert '<p class="hint">not waited for any more: its camera or microphone is closed' in page
    assert "by the hub itself: too little is known from ring 1" in page


async def test_a_roll_out_is_paused_resumed_stopped_and_withdrawn_with_a_reason(pages: HubPages) -> None:
    rollout = begun(pages)
    async with client(pages, "admin") as http:
        token = {"csrf_token": csrf(pages, http)}
        for act, button in (("pause", "Resume"), ("resume", "Pause"), ("stop", "Withdraw it")):
            assert (await http.post(f"/rollouts/{rollout}/{act}", data=token)).status_code == 303
            assert button in (await http.get(f"/rollouts/{rollout}")).text
        again = await http.post(f"/rollouts/{rollout}/pause", data=token)
        assert again.status_code == 422
        assert "Not done: it is stopped." in again.text
        silent = await http.post(f"/rollouts/{rollout}/withdraw", data=token)
        assert "say why" in silent.text
        await http.post(f"/rollouts/{rollout}/withdraw", data={**token, "why": "Rooms call back"})
        shown = (await http.get(f"/rollouts/{rollout}")).text
        assert (await http.post(f"/rollouts/{rollout}/explode", data=token)).status_code == 400
    assert "Rooms call back" in shown
    assert "End it" not in shown
    with pages.database.read() as transaction:
        of_pages = select(Audit.action).where(Audit.address == "127.0.0.1", Audit.action.like("rollout.%"))
        acts = transaction.scalars(of_pages.order_by(Audit.position)).all()
    assert acts == ["rollout.pause", "rollout.resume", "rollout.stop", "rollout.withdraw"]


async def test_the_same_is_done_by_the_api(pages: HubPages) -> None:
    pages.world.rollouts.withdraw(begun(pages), account="test", why="Tried")
    async with client(pages, "admin") as http:
        headers = {"X-CSRF-Token": (await http.get("/v1/admin/rollouts")).headers["X-CSRF-Token"]}
        group = await http.post("/v1/admin/groups/floor", json={"nodes": [ROOM]}, headers=headers)
        assert group.json() == {"groups": {"floor": [ROOM]}}
        window = {"days": [0], "begins": "22:00", "ends": "05:00"}
        wanted = {"target": TARGET, "why": "Fewer misses", "groups": ["floor"], "rings": [50, 100], "window": window}
        made = await http.post("/v1/admin/rollouts", json=wanted, headers=headers)
        assert made.status_code == 201
        path = f"/v1/admin/rollouts/{made.json()['id']}"
        assert (await http.post(f"{path}/pause", headers=headers)).json()["state"] == "paused"
        assert (await http.post(f"{path}/resume", json={"why": "Looked at"}, headers=headers)).json()["reason"]
        assert (await http.post(f"{path}/stop", headers=headers)).json()["state"] == "stopped"
        refused = await http.post(f"{path}/pause", headers=headers)
        assert (refused.status_code, refused.json()["message"]) == (422, "it is stopped")
        assert (await http.post(f"{path}/withdraw", json={}, headers=headers)).status_code == 400
        gone = await http.post(f"{path}/withdraw", json={"why": "Rooms call back"}, headers=headers)
        assert gone.json()["state"] == "withdrawn"
        assert len((await http.get("/v1/admin/rollouts")).json()["rollouts"]) == 2
        until = (pages.now + timedelta(hours=5)).isoformat()
        locked = await http.post("/v1/admin/locks", json={"node": ROOM, "until": until}, headers=headers)
        assert list(locked.json()["locks"]) == [ROOM]
        open_again = await http.post("/v1/admin/locks", json={"node": ROOM, "until": None}, headers=headers)
        assert open_again.json() == {"locks": {}}
        asked = {"node": ROOM, "role": "pose", "at": "2026-05-01T14:03:00+02:00"}
        ran = await http.get("/v1/admin/ran", params=asked)
        assert (ran.json()["release"], ran.json()["at"]) == (None, "2026-05-01T14:03:00+02:00")
        for wrong, status in (({"at": "14:03"}, 400), ({"node": "room-99"}, 404)):
            assert (await http.get("/v1/admin/ran", params={**asked, **wrong})).status_code == status
        assert (await http.get("/v1/admin/rollouts/none")).status_code == 404


async def test_groups_are_made_and_taken_away(pages: HubPages) -> None:
    async with client(pages, "admin") as http:
        token = {"csrf_token": csrf(pages, http)}
        made = await http.post("/rollouts/groups", data={**token, "name": "floor", "nodes": [ROOM, "room-14"]})
        assert made.status_code == 303
        assert pages.world.rollouts.groups() == {"floor": [ROOM, "room-14"]}
        assert "Room 12, Room 14" in (await http.get("/rollouts/groups")).text
        change = (await http.get("/rollouts/groups?name=floor")).text
        assert (change.count('name="nodes"'), change.count(" checked")) == (3, 2)
        nameless = await http.post("/rollouts/groups", data={**token, "nodes": [ROOM]})
        assert nameless.status_code == 422
        await http.post("/rollouts/groups", data={**token, "name": "floor"})
    assert pages.world.rollouts.groups() == {}


async def test_a_ward_is_a_group_under_its_own_name(pages: HubPages) -> None:
    pages.someone_stays(ROOM)
    [group] = pages.world.rollouts.groups()
    pages.releases_wait()
    async with client(pages, "admin") as http:
        form = {"csrf_token": csrf(pages, http), "target": TARGET, "groups": [group], "rings": "100", "why": "A try"}
        assert "<strong>Ward 7</strong>: 1 room" in (await http.get("/rollouts/new")).text
        pages.room_is_probed()
        begun = await http.post("/rollouts", data=form)
        for path in (begun.headers["location"], "/rollouts", "/rollouts/groups"):
            text = (await http.get(path)).text
            assert "Ward 7" in text
            assert group not in text


async def test_a_clinician_locks_a_room_until_a_moment_and_never_for_ever(pages: HubPages) -> None:
    locks = pages.world.rollouts.locks
    later = (pages.now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    async with client(pages, "clinician") as http:
        token = {"csrf_token": csrf(pages, http)}
        assert "/locks" in (await http.get("/rooms")).text
        assert (await http.post("/locks", data={**token, "node": ROOM, "until": later})).status_code == 303
        assert list(locks()) == [ROOM]
        for until in ("2001-01-01T00:00", "2999-01-01T00:00", "soon"):
            refused = await http.post("/locks", data={**token, "node": ROOM, "until": until})
            assert refused.status_code == 422
        assert list(locks()) == [ROOM]
        await http.post("/locks", data={**token, "node": ROOM})
        assert locks() == {}
        assert (await http.get("/rollouts")).status_code == 403
    async with client(pages, "staff") as http:
        assert (await http.get("/locks")).status_code == 403


async def test_what_ran_in_a_room_at_a_moment_is_answered(pages: HubPages) -> None:
    async with client(pages, "admin") as http:
        path = "/rollouts/history?role=pose&at=2026-05-01T14:03&node="
        assert "the model that came with the room" in (await http.get(path + ROOM)).text
        unknown = await http.get(path + "room-99")
        assert (unknown.status_code, "There is no such room." in unknown.text) == (422, True)


async def test_an_open_page_is_told_of_changes_alone_and_that_the_session_ended(pages: HubPages) -> None:
    rollout = begun(pages)
    streams = pages.app.state.site.streams
    told = ["planned", "planned", None]
    read = iter(told)
    events = [event async for event in streams.follow(lambda: next(read))]
    assert [re.sub(r"\s+", " ", event).strip() for event in events] == ["data: planned", "event: signed-out data:"]
    end_streams(pages.app)
    async with client(pages, "admin") as http:
        async with asyncio.timeout(5):
            stream = await http.get(f"/rollouts/{rollout}/stream")
        assert (stream.status_code, stream.text) == (200, "")
        assert (await http.get("/rollouts/none/stream")).status_code == 404


def test_a_bar_of_rooms_is_as_wide_as_its_rooms_are_many() -> None:
    segments = bar({"failed": 1, "kept": 2, "planned": 1})
    assert [(each.state, each.x, each.width) for each in segments] == [
        ("kept", 0, BAR_WIDTH / 2),
        ("planned", BAR_WIDTH / 2, BAR_WIDTH / 4),
        ("failed", BAR_WIDTH * 3 / 4, BAR_WIDTH / 4),
    ]
    assert bar({}) == ()


@pytest.mark.parametrize("text", ["", "five", "5, -1", "1000", "1 " * 21, "²"])
def test_rings_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ReleaseError):
        read_rings(text)


def test_hours_and_moments_are_the_site_s_own() -> None:
    assert read_window([], "", "") is None
    assert window_words(None) == "at any time"
    assert window_words(read_window([], "10:00", "11:30")) == "every day, 10:00 to 11:30"
    assert window_words(read_window([6], "", "")) == "Sunday, all day"
    for days, begins in (([7], ""), ([0], "noon")):
        with pytest.raises(ReleaseError):
            read_window(days, begins, "")
    berlin = ZoneInfo("Europe/Berlin")
    assert read_moment("2026-07-01T14:03", berlin) == datetime(2026, 7, 1, 12, 3, tzinfo=UTC)
    assert read_moment("2026-07-01T14:03+00:00", berlin) == datetime(2026, 7, 1, 14, 3, tzinfo=UTC)
    for wrong in ("14:03", "0001-01-01T00:00"):
        with pytest.raises(ReleaseError):
            read_moment(wrong, berlin)


def test_sizes_times_and_reasons_are_words() -> None:
    sizes = [size_words(size) for size in (12, 10_240, 999_600, 4_294_967_296)]
    assert sizes == ["12 bytes", "10.2 kB", "1 MB", "4.29 GB"]
    assert [lasting_words(seconds) for seconds in (30, 60, 5_400, 172_800)] == [
        *("30 seconds", "1 minute", "1.5 hours", "2 days")
    ]
    assert refusal_words("wrong-bytes") == "what was fetched is not what was approved"

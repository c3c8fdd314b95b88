"""A room's model releases in Home Assistant: what is offered, how far it is, and what becomes of a wish."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.fakes import releases as site_releases
from tests.fakes.clock import FakeClock

from forge_hub.errors import BrokerError, ReleaseError
from forge_hub.home import entities
from forge_hub.home.desk import HomeDesk, Standings
from forge_hub.home.entities import Standing
from forge_hub.home.releases import ACCOUNT, HomeReleases, standing
from forge_hub.records.database import Database, open_database
from forge_hub.records.schema import Audit, ReleaseChange, Rollout, Room, RoomRelease
from forge_hub.releases.rollouts import Rollouts
from forge_shared import home
from forge_shared.errors import ForgeError
from forge_shared.releases import ReleaseRole

ROOMS = ("room-1", "room-2")
FIRST, SECOND = "fall-pose-1.0.0.tar", "fall-pose-1.1.0.tar"


def shown(of: Standing) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(entities.state(of))
    return told


# What is shown.


def test_a_role_without_a_release_loses_its_entity_and_the_others_have_theirs() -> None:
    told = json.loads(entities.announcement("site", "room-1", "9.9", ["pose"]))
    assert told["dev"]["ids"] == ["forge-site-room-1"], "the same device that the room announces"
    assert told["cmps"]["pose"]["def_ent_id"] == "update.room_1_pose_model"
    assert told["cmps"]["voice"] == {"p": "update"}
    assert told["cmps"]["pose"]["ret"] is False


def test_progress_is_shown_while_the_room_does_something_and_not_before_or_after() -> None:
    said = {"state": "fetching", "next": SECOND, "serving": FIRST, "percentage": 40}
    fetching = shown(standing(said, None, SECOND))
    assert (fetching["installed_version"], fetching["latest_version"]) == ("1.0.0", "1.1.0")
    assert (fetching["in_progress"], fetching["update_percentage"]) == (True, 40)
    for state in ("waiting", "proving"):
        told = shown(standing({**said, "state": state}, None, SECOND))
        assert (told["in_progress"], told["update_percentage"]) == (True, None)
    for state in ("on-trial", "serving"):
        told = shown(standing({"state": state, "serving": SECOND}, None, SECOND))
        assert (told["in_progress"], told["installed_version"]) == (False, "1.1.0")


def test_what_a_roll_out_has_in_mind_for_a_room_is_in_progress_before_the_room_knows() -> None:
    told = shown(standing({}, SECOND, SECOND))
    assert (told["installed_version"], told["latest_version"], told["in_progress"]) == ("built-in", "1.1.0", True)


def test_what_a_room_refused_is_said_with_its_reason_and_no_word_is_longer_than_a_summary_may_be() -> None:
    said = {"state": "refused", "next": SECOND, "serving": FIRST, "reason": "golden" * 200}
    told = shown(standing(said, SECOND, None))
    assert told["installed_version"] == "1.0.0"
    assert "did not take it" in told["release_summary"]
    assert len(told["release_summary"]) <= 255


# What is offered and asked for.


class Here:
    """A site with two rooms, and Home Assistant's view of their releases."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.folder = folder
        self.database: Database = open_database(f"sqlite:///{folder / 'records.db'}")
        self.site = site_releases.Site.begun(folder / "releases", self.clock)
        self.rollouts = Rollouts(self.database, self.site.catalogue, self.clock, on_changed=lambda: None)
        self.home = HomeReleases(self.database, self.site.catalogue, self.rollouts)
        with self.database.begin() as transaction:
            for node in ROOMS:
                transaction.add(self._room(node))

    def _room(self, node: str) -> Room:
        unknown = dict.fromkeys(("hearing", "sight", "activity"), "unknown")
        return Room(
            node=node,
            connection="online",
            session_on=False,
            pending_events=0,
            version="",
            seen_at=self.clock.now(),
            hardware="x86",
            **unknown,
        )

    def publish(self, version: str, counter: int, name: str = "fall-pose") -> str:
        folder = self.folder / f"{name}-{version}"
        folder.mkdir()
        return self.site.publish(site_releases.write_release(folder, name=name, version=version, counter=counter))

    def says(self, node: str, **said: Any) -> None:
        with self.database.begin() as transaction:
            row = RoomRelease(node=node, role="pose", said={"role": "pose", **said}, said_at=self.clock.now())
            transaction.merge(row)

    def proven(self, target: str) -> None:
        with self.database.begin() as transaction:
            transaction.add(
                ReleaseChange(
                    event_id=f"e-{target}",
                    position=1,
                    node="room-9",
                    role="pose",
                    at=self.clock.now(),
                    outcome="committed",
                    release=target,
                    version=None,
                    sha256=None,
                    rollout="r",
                    reason=None,
                )
            )

    def of(self, node: str) -> Standing | None:
        return self.home.standings().get(node, {}).get("pose")


@pytest.fixture
def here(tmp_path: Path) -> Any:
    made = Here(tmp_path)
    yield made
    made.database.close()


def test_where_nothing_is_published_nothing_is_announced(here: Here) -> None:
    assert here.home.standings() == {}


def test_figures_of_the_model_that_came_with_a_room_announce_nothing(here: Here) -> None:
    here.says("room-1", serving=None, latency_ms=20.0)
    assert here.home.standings() == {}


def test_what_is_published_is_offered_to_rooms_that_it_is_made_for(here: Here) -> None:
    here.publish("1.0.0", 1)
    with here.database.begin() as transaction:
        room = transaction.get(Room, "room-2")
        assert room is not None
        room.hardware = "pi-4"
    offered = here.of("room-1")
    assert offered is not None
    assert (offered.installed, offered.latest, offered.name) == (None, "1.0.0", "fall-pose")
    assert here.of("room-2") is None


def test_only_what_is_newer_of_the_same_name_is_offered_and_of_several_names_an_admin_chooses(here: Here) -> None:
    first = here.publish("1.0.0", 1)
    here.says("room-1", serving=first)
    assert here.of("room-1") == Standing("1.0.0", None, "fall-pose")
    here.publish("1.0.0", 1, name="other-pose")
    assert here.of("room-1") == Standing("1.0.0", None, "fall-pose")
    assert here.of("room-2") is None, "of two names nobody but an admin chooses"
    here.publish("1.1.0", 2)
    assert here.of("room-1") == Standing("1.0.0", "1.1.0", "fall-pose")


def test_a_wish_starts_a_roll_out_for_one_room_and_the_audit_knows_who_wished(here: Here) -> None:
    target = here.publish("1.0.0", 1)
    here.home.request_install("room-1", "pose")
    (rollout,) = here.rollouts.all()
    assert (rollout.target, rollout.started_by) == (target, ACCOUNT)
    assert [room.node for ring in rollout.rings for room in ring.rooms] == ["room-1"]
    assert here.of("room-1") == Standing(None, "1.0.0", "fall-pose", doing="asked")
    assert ACCOUNT not in here.rollouts.groups(), "the group was only for asking"
    with here.database.read() as transaction:
        assert "rollout.begin" in {entry.action for entry in transaction.query(Audit).filter_by(account=ACCOUNT)}


def test_a_release_that_has_not_done_well_anywhere_is_tried_in_one_room_at_a_time(here: Here) -> None:
    target = here.publish("1.0.0", 1)
    here.home.request_install("room-1", "pose")
    with pytest.raises(ReleaseError, match="another room"):
        here.home.request_install("room-2", "pose")
    here.proven(target)
    here.home.request_install("room-2", "pose")
    assert len(here.rollouts.all()) == 2


def test_a_button_that_is_pressed_again_and_again_starts_one_roll_out(here: Here) -> None:
    here.proven(here.publish("1.0.0", 1))
    here.home.request_install("room-1", "pose")
    for _ in range(3):
        with pytest.raises(ReleaseError):
            here.home.request_install("room-1", "pose")
    assert len(here.rollouts.all()) == 1


def test_what_was_withdrawn_is_not_offered_again(here: Here) -> None:
    here.publish("1.0.0", 1)
    here.home.request_install("room-1", "pose")
    (rollout,) = here.rollouts.all()
    here.rollouts.withdraw(rollout.id, account="admin", why="it sees people where there are none")
    assert here.of("room-1") is None
    with pytest.raises(ReleaseError):
        here.home.request_install("room-1", "pose")


def test_an_unknown_room_and_a_room_that_has_the_newest_are_refused(here: Here) -> None:
    here.says("room-1", serving=here.publish("1.0.0", 1))
    for node in ("room-1", "room-7"):
        with pytest.raises(ReleaseError):
            here.home.request_install(node, "pose")
    with here.database.read() as transaction:
        assert transaction.query(Rollout).count() == 0


# The desk.


class Broker:
    """Keeps what is retained; may be away."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.sent = 0
        self.away = False

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.away:
            raise BrokerError("away")
        self.sent += 1
        self.kept[topic] = payload


class Desk:
    """A desk that runs."""

    def __init__(self) -> None:
        self.broker = Broker()
        self.rooms: Standings = {"room-1": {"pose": Standing(None, "1.0.0", "fall-pose")}}
        self.asked: list[tuple[str, ReleaseRole]] = []
        self.refuses: ForgeError | None = None
        self.desk = HomeDesk(
            "site",
            "9.9",
            publish=self.broker.publish,
            standings=lambda: self.rooms,
            request_install=self._request,
        )

    def _request(self, node: str, role: ReleaseRole) -> None:
        self.asked.append((node, role))
        if self.refuses is not None:
            raise self.refuses

    async def settle(self) -> None:
        self.desk.wake()
        await asyncio.sleep(0.1)


@pytest_asyncio.fixture
async def desk() -> Any:
    made = Desk()
    running = asyncio.create_task(made.desk.run())
    await made.settle()
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_only_what_changed_is_published_and_everything_after_a_new_connection(desk: Desk) -> None:
    assert set(desk.broker.kept) == {home.models_config("room-1"), home.model_state("room-1", "pose")}
    await desk.settle()
    assert desk.broker.sent == 2
    desk.desk.connected()
    await desk.settle()
    assert desk.broker.sent == 4


async def test_what_could_not_be_published_is_published_later(desk: Desk) -> None:
    desk.broker.away = True
    desk.rooms = {"room-1": {"pose": Standing("1.0.0", None, "fall-pose")}}
    await desk.settle()
    desk.broker.away = False
    await desk.settle()
    assert json.loads(desk.broker.kept[home.model_state("room-1", "pose")])["installed_version"] == "1.0.0"


async def test_a_room_without_releases_is_taken_away(desk: Desk) -> None:
    desk.rooms = {}
    await desk.settle()
    assert set(desk.broker.kept.values()) == {b""}


async def test_what_is_asked_is_asked_of_the_roll_outs_and_a_refusal_stops_nothing(desk: Desk) -> None:
    desk.refuses = ReleaseError("another room tries it first")
    desk.desk.heard(home.install("room-1", "pose"), b"INSTALL", False)
    await desk.settle()
    desk.refuses = None
    desk.desk.heard(home.install("room-1", "pose"), b"INSTALL", False)
    await desk.settle()
    assert desk.asked == [("room-1", "pose")] * 2


async def test_what_a_broker_had_kept_or_nobody_knows_is_not_asked(desk: Desk) -> None:
    desk.desk.heard(home.install("room-1", "pose"), b"INSTALL", True)
    desk.desk.heard(home.install("room-1", "lights"), b"INSTALL", False)
    desk.desk.heard(home.install("room-1", "pose"), b"", False)
    desk.desk.heard("homeassistant/anything", b"INSTALL", False)
    for _ in range(500):
        desk.desk.heard(home.BIRTH, b"offline", False)
    await desk.settle()
    assert desk.asked == []


async def test_more_wishes_than_can_wait_are_dropped(desk: Desk) -> None:
    for _ in range(500):
        desk.desk.heard(home.install("room-1", "pose"), b"INSTALL", False)
    await asyncio.sleep(0.5)
    assert 0 < len(desk.asked) <= 101

"""Releases in the room: trusted, fetched, tried and taken back, and a node that serves whatever happens meanwhile."""

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner
from tests.fakes.clock import FakeClock
from tests.fakes.releases import FromFolder, Site, write_release
from tests.fakes.updating_room import ROLE

from forge_edge.errors import UpdateRefusedError, UpdateUnreachableError
from forge_edge.update.fetching import LEAST_BYTES_PER_SECOND, RATE_SECONDS, Fetching, Parcel
from forge_edge.update.slots import STATE, RoleState, Slots
from forge_edge.update.trial import LEAST_MEASUREMENTS, MOST_STARTS, Judged, Observed, judge
from forge_edge.update.trusted import TrustedReleases
from forge_hub.releases.catalogue import Wish
from forge_hub.releases.keys import online_key
from forge_hub.releases.package import pack, read_release
from forge_hub.releases.repository import Repository
from forge_shared.clock import SystemClock
from forge_shared.releases import TrialLimits

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PARCEL = Parcel("targets/model.tar", len(CONTENT), DIGEST)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.begun(tmp_path / "releases", SystemClock())


def trusted(site: Site, folder: Path, clock: SystemClock | FakeClock | None = None) -> TrustedReleases:
    folder.mkdir(exist_ok=True)
    roots = {
        "images": site.catalogue.images.roots()[0],
        "director": site.catalogue.director("room-1").roots()[0],
    }
    places = {"images": "http://hub/images", "director": "http://hub/director/nodes/room-1"}
    return TrustedReleases(folder, roots, FromFolder(site.folder), places.__getitem__, clock or SystemClock())


def test_a_room_wants_what_people_approved_and_the_hub_chose(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    site.publish(write_release(tmp_path / "other", name="other", version="3.0.0"))
    site.catalogue.direct("room-1", [Wish(target, "rollout-7")])
    wanted = trusted(site, tmp_path / "room").wanted()
    assert list(wanted) == ["pose"]
    assert (wanted["pose"].version, wanted["pose"].counter, wanted["pose"].rollout) == ("1.0.0", 1, "rollout-7")


def test_a_room_refuses_what_the_hub_alone_names(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    site.catalogue.direct("room-1", [Wish(target, "manual")])
    room = trusted(site, tmp_path / "room")
    room.wanted()
    # With the hub's key alone, another file is named for the room.
    director, online = Repository(site.folder / "director/nodes/room-1", SystemClock()), _online(site)
    director.stage_targets({"evil.tar": director.targets()[target]})
    director.sign("targets", online)
    director.publish(online)
    with pytest.raises(UpdateRefusedError) as refused:
        room.wanted()
    assert refused.value.reason == "not-approved"


def test_a_room_refuses_two_repositories_that_disagree_about_the_bytes(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    site.catalogue.direct("room-1", [Wish(target, "manual")])
    director, online = Repository(site.folder / "director/nodes/room-1", SystemClock()), _online(site)
    other = director.targets()[target]
    other.length += 1
    director.stage_targets({target: other})
    director.sign("targets", online)
    director.publish(online)
    with pytest.raises(UpdateRefusedError) as refused:
        trusted(site, tmp_path / "room").wanted()
    assert refused.value.reason == "repositories-disagree"


def test_a_clock_that_falls_behind_what_was_trusted_stops_installs(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    site.catalogue.direct("room-1", [Wish(target, "manual")])
    trusted(site, tmp_path / "room").wanted()
    with pytest.raises(UpdateRefusedError) as refused:
        trusted(site, tmp_path / "room", FakeClock()).wanted()
    assert refused.value.reason == "clock-behind"


def test_a_hub_that_is_away_is_unreachable_and_nothing_is_refused(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    site.catalogue.direct("room-1", [Wish(target, "manual")])
    room = trusted(site, tmp_path / "room")
    room.wanted()
    for path in (site.folder / "images" / "metadata").iterdir():
        path.unlink()
    with pytest.raises(UpdateUnreachableError):
        room.wanted()


class Line:
    """A source whose line breaks after so many bytes, and a count of all that it ever gave out."""

    def __init__(
        self, content: bytes, breaks_after: int | None = None, on_piece: Callable[[], None] | None = None
    ) -> None:
        self.content = content
        self.breaks_after = breaks_after
        self.on_piece = on_piece or (lambda: None)
        self.given = 0

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        del path
        sent = 0
        while offset < len(self.content):
            piece = self.content[offset : offset + 10_000]
            if self.breaks_after is not None and sent + len(piece) > self.breaks_after:
                raise UpdateUnreachableError("the line broke")
            offset += len(piece)
            sent += len(piece)
            self.given += len(piece)
            self.on_piece()
            yield piece


def fetching(folder: Path, line: Line, clock: FakeClock | None = None, *, cancelled: bool = False) -> Fetching:
    return Fetching(folder, line, clock or FakeClock(), lambda *_: None, lambda: cancelled)


def test_a_download_that_is_cut_at_every_tenth_goes_on_from_there(tmp_path: Path) -> None:
    line = Line(CONTENT, breaks_after=len(CONTENT) // 10 + 1)
    for _ in range(20):
        try:
            whole = fetching(tmp_path, line).fetch(PARCEL)
            break
        except UpdateUnreachableError:
            continue
    assert whole.read_bytes() == CONTENT
    assert line.given <= 1.02 * len(CONTENT)
    assert fetching(tmp_path, line).fetch(PARCEL) == whole, "what is there is not fetched again"


def test_more_bytes_than_were_signed_are_not_taken(tmp_path: Path) -> None:
    with pytest.raises(UpdateRefusedError) as refused:
        fetching(tmp_path, Line(CONTENT + b"and more")).fetch(PARCEL)
    assert refused.value.reason == "endless-data"
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_than_were_signed_are_thrown_away(tmp_path: Path) -> None:
    with pytest.raises(UpdateRefusedError) as refused:
        fetching(tmp_path, Line(CONTENT[:-1] + b"x")).fetch(PARCEL)
    assert refused.value.reason == "wrong-bytes"
    assert list(tmp_path.iterdir()) == []


def test_a_hub_that_drips_does_not_hold_a_room_up(tmp_path: Path) -> None:
    clock = FakeClock()
    drip = Line(CONTENT, on_piece=lambda: clock.advance(10_000 / LEAST_BYTES_PER_SECOND * 1.5))
    with pytest.raises(UpdateUnreachableError, match="slow"):
        fetching(tmp_path, drip, clock).fetch(PARCEL)
    assert drip.given <= LEAST_BYTES_PER_SECOND * RATE_SECONDS
    with pytest.raises(UpdateUnreachableError, match="cancelled"):
        fetching(tmp_path, Line(CONTENT), cancelled=True).fetch(PARCEL)


def test_a_release_is_put_in_and_serves_once_the_state_says_so(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "models")
    packed = _packed(tmp_path, "1.0.0")
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    assert slots.active(ROLE) is None
    slots.put_in(ROLE, digest, packed)
    assert slots.active(ROLE) is None
    slots.set(ROLE, slots.state(ROLE).began(digest, "manual"))
    again = Slots(tmp_path / "models")
    assert again.active(ROLE) == again.place(ROLE, digest)
    again.set(ROLE, again.state(ROLE).failed("latency"))
    assert again.active(ROLE) is None
    assert again.state(ROLE).is_quarantined(digest)
    assert not again.place(ROLE, digest).exists()


def test_a_state_that_cannot_be_read_leaves_what_came_with_the_node(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / STATE).write_text("{ torn")
    assert Slots(tmp_path / "models").active(ROLE) is None


def test_the_state_that_an_older_node_has_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    older = {"good": "a", "trial": "b", "trial_starts": 1, "rollout": "rollout-7", "quarantined": [["c", "latency"]]}
    (tmp_path / "models" / STATE).write_text(json.dumps({ROLE: older}))
    state = Slots(tmp_path / "models").state(ROLE)
    assert state == RoleState(good="a", trial="b", trial_starts=1, rollout="rollout-7", quarantined=(("c", "latency"),))
    assert (state.trial_target, state.trial_version, state.answered) == (None, None, ())


@pytest.mark.parametrize("name", ["more.bin", "../outside", "model.onnx"])
def test_a_packed_release_with_anything_but_what_it_lists_is_refused(tmp_path: Path, name: str) -> None:
    packed = _packed(tmp_path, "1.0.0")
    with tarfile.open(packed, "a") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(UpdateRefusedError) as refused:
        Slots(tmp_path / "models").put_in(ROLE, "0" * 64, packed)
    assert refused.value.reason == "unlisted-file"
    assert not (tmp_path / "outside").exists()


@given(st.lists(st.sampled_from(["began", "started", "committed", "failed"]), max_size=40))
def test_what_did_well_is_kept_until_another_has_done_well_and_what_failed_never_serves_again(steps: list[str]) -> None:
    state, number = RoleState(), 0
    good: list[str | None] = [None]
    failed: set[str] = set()
    for step in steps:
        match step:
            case "began" if state.trial is None:
                number += 1
                state = state.began(f"{number}", "manual")
            case "started":
                state = state.started()
            case "committed" if state.trial is not None:
                good.append(state.trial)
                state = state.committed()
            case "failed":
                failed |= {state.trial} if state.trial is not None else set()
                state = state.failed("latency")
        assert state.good == good[-1]
        assert state.active not in failed
        assert all(state.is_quarantined(digest) for digest in failed)


LIMITS = TrialLimits(seconds=3600, latency_ms=80, memory_mb=500, temperature_celsius=85, false_alerts_per_hour=1)


@pytest.mark.parametrize(
    ("observed", "judged"),
    [
        (Observed(10), Judged("go-on")),
        (Observed(3600), Judged("commit")),
        (Observed(3600, measurements=LEAST_MEASUREMENTS - 1), Judged("go-on")),
        (Observed(3600, latency_ms=79, measurements=LEAST_MEASUREMENTS), Judged("commit")),
        (Observed(3600, failures=1), Judged("roll-back", "inference-failed")),
        (Observed(10, starts=MOST_STARTS), Judged("roll-back", "restarts")),
        (Observed(10, latency_ms=160, measurements=LEAST_MEASUREMENTS - 1), Judged("go-on")),
        (Observed(10, latency_ms=160, measurements=LEAST_MEASUREMENTS), Judged("roll-back", "latency")),
        (Observed(10, memory_mb=501), Judged("roll-back", "memory")),
        (Observed(10, temperature_celsius=86), Judged("roll-back", "temperature")),
        (Observed(60, false_alerts=1), Judged("go-on")),
        (Observed(1800, false_alerts=1), Judged("roll-back", "false-alerts")),
        (Observed(3600, false_alerts=1), Judged("commit")),
    ],
)
def test_a_trial_ends_by_its_limits(observed: Observed, judged: Judged) -> None:
    assert judge(LIMITS, observed) == judged


def _packed(folder: Path, version: str) -> Path:
    release = write_release(folder / f"release-{version}", version=version)
    (folder / "packed").mkdir(exist_ok=True)
    return pack(read_release(release), folder / "packed")


def _online(site: Site) -> CryptoSigner:
    return online_key(site.folder / "online.pem")

"""The main job, shown: two simulated rooms and a hub, all as shipped; only the ends of the rooms' senses differ.

The second room's camera is simulated too: a synthetic stream of keypoints, in which somebody falls.

``make demo`` runs at real time for someone who watches in a browser, until interrupted. ``DEMO_ONCE=1 make demo`` runs
once at accelerated time and prints a JSON summary as its last line; the exit status is 1 when anything in it is wrong.
"""

import json
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from tests.journey.fall import CameraRoom
from tests.journey.world import Site, until

from forge_edge.audio.outcome import Outcome
from forge_edge.audio.voices import VOICES
from forge_edge.dialogue.sentences import TELLING_OF_FALL
from forge_shared.forms.questionnaire import installed

FORM = installed()["phq-9"]
PATIENT = "Gwen Ashdown"
PLANTED = ("Hollister", "Rosalind", "07700", "900123", "seven seven double oh", "Ashdown")
WATER_ROOM, FORM_ROOM = "room-1", "room-2"
ONCE_SECONDS = 240.0
POSSIBLE, CERTAIN, BLIND = "Possible fall", "Fell and has not got up", "The room cannot see"
"""What the alert board calls it."""
LOOK_SECONDS = 15.0
"""For who watches to see it on the board."""

_MEANT = ["several days", "not at all", "nearly every day", "more than half the days", "not at all"]
_MEANT += ["several days", "nearly every day", "not at all", "several days"]


def talker() -> dict[str, Any]:
    """A patient who asks for water, and later speaks in a recorded session, saying who they are."""
    return {
        "voice": VOICES["rms"].voice.model_dump(),
        "wake_word": VOICES["rms"].wake_words[0],
        "noise": {"snr_db": 25.0, "seed": 1},
        "wants": [
            {"kind": "request", "says": "can i have some water"},
            {"kind": "await", "hears": "the recorded session is on"},
            {
                "kind": "talk",
                "says": [
                    "my name is Rosalind Hollister",
                    "i always mess everything up and i feel terrible",
                    "please call my daughter on oh seven seven double oh nine double oh one two three",
                    "yesterday was a good day and i was happy in the garden",
                ],
            },
        ],
    }


def form_filler() -> dict[str, Any]:
    """A patient who fills a PHQ-9, changes an answer on the way and answers item 9 above zero."""
    items = [item.link_id for item in FORM.questions]
    answers = dict(zip(items, [*_MEANT, "somewhat difficult"], strict=True))
    return {
        "voice": VOICES["awb"].voice.model_dump(),
        "wake_word": VOICES["awb"].wake_words[0],
        "noise": {"snr_db": 20.0, "seed": 2},
        "wants": [
            {
                "kind": "form",
                "answers": answers,
                "changes": [{"after": items[3], "item": items[3], "answer": "not at all"}],
            }
        ],
    }


def expected_total(script: dict[str, Any]) -> int:
    """Return the total that the form filler means in the end."""
    want = script["wants"][0]
    meant = {**want["answers"], **{change["item"]: change["answer"] for change in want["changes"]}}
    return sum(
        next(option.ordinal or 0 for option in item.answer_option if option.display.lower() == meant[item.link_id])
        for item in FORM.questions
        if item.required
    )


class OpenPage:
    """What an open alert board is sent, and when: the live stream of a signed-in member of staff."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.arrivals: list[tuple[float, str]] = []
        threading.Thread(target=self._follow, daemon=True).start()

    def first(self, words: str) -> float | None:
        """Return the time at which words first appeared on the page."""
        return next((at for at, text in self.arrivals if words in text), None)

    def _follow(self) -> None:
        try:
            with self._client.stream("GET", "/alerts/stream", timeout=None) as stream:
                for line in stream.iter_lines():
                    self.arrivals.append((time.time(), line))
        except httpx.TransportError:
            return  # the hub has gone, and the demo with it


def start(site: Site, speed: float) -> tuple[CameraRoom, dict[str, Any]]:
    """Admit the patient of the second room and start the rooms; return that room and the form filler's script."""
    script = form_filler()
    # They fall later, and do not answer when the room asks them.
    script["wants"].append({"kind": "await", "hears": TELLING_OF_FALL})
    camera_room = CameraRoom(site, FORM_ROOM, person=PATIENT)
    words = json.dumps([VOICES[name].wake_words[0].replace(" ", "_") for name in ("rms", "awb")])
    site.start_room(WATER_ROOM, script=talker(), speed=speed, FORGE_EDGE_WAKE_WORDS=words)
    site.start_room(FORM_ROOM, script=script, speed=speed, FORGE_EDGE_WAKE_WORDS=words, **camera_room.settings)
    return camera_room, script


def record_a_session(site: Site, *, seconds: float) -> None:
    """As a clinician: wait until the patient of the first room is known, state their consent, start the session."""
    with closing(site.sign_in("clinician")) as clinician:
        until(
            "the request for water",
            lambda: site.records("SELECT id FROM alert WHERE node = ? AND kind = 'request'", WATER_ROOM),
            seconds=seconds,
        )
        page = f"/rooms/{WATER_ROOM}/session"
        until("the session", lambda: _try_session(site, clinician, page), seconds=seconds, every=2.0)


def _try_session(site: Site, clinician: httpx.Client, page: str) -> bool:
    if not site.records("SELECT id FROM session WHERE node = ?", WATER_ROOM):
        site.post(clinician, page, f"{page}/start", consent="given")
        time.sleep(1)
    return bool(site.records("SELECT id FROM session WHERE node = ?", WATER_ROOM))


def once(site: Site) -> int:
    """Run the journey at accelerated time; print the summary; return the exit status."""
    for role in ("admin", "clinician", "staff"):
        site.make_account(role)
    page = OpenPage(site.sign_in("staff"))
    camera_room, script = start(site, speed=0)
    record_a_session(site, seconds=ONCE_SECONDS)
    until("the form", partial(_has_form, site), seconds=ONCE_SECONDS, every=0.3)
    camera_room.agree_to_camera()
    camera_room.await_fall("confirmed")
    pulled = time.time()
    cable = camera_room.pull()
    until("the blindness on the board", lambda: page.first(BLIND))
    seconds_to_seeing = camera_room.plug_in(cable)
    for room in (WATER_ROOM, FORM_ROOM):
        until(f"the patient in {room}", partial(_has_finished, site, room), seconds=ONCE_SECONDS, every=0.3)
        until(f"the outbox of {room}", partial(_is_empty, site, room))
    produced = sum(sum(site.produced(room).values()) for room in (WATER_ROOM, FORM_ROOM))
    committed = site.records("SELECT count(*), count(DISTINCT event_id) FROM event_log")[0]
    alerts = [kind for (kind,) in site.records("SELECT kind FROM alert ORDER BY raised_at")]
    form = site.records("SELECT total, re_prompts FROM form_response WHERE status = 'completed'")
    risk = next(item.link_id for item in FORM.questions if item.is_risk)
    outcome = Outcome.model_validate_json((site.folder / f"{FORM_ROOM}.patient.outcome.json").read_bytes())
    said = [said.last_word_at for said in outcome.said if said.meaning.startswith(f"{risk}=")]
    seen = page.first("item 9")
    falls = camera_room.falls()
    for room in (WATER_ROOM, FORM_ROOM):
        site.stop_room(room)
    site.stop_hub()
    summary = {
        "events_produced": produced,
        "events_committed": committed[0],
        "duplicates": committed[0] - committed[1],
        "alerts": len(alerts),
        "phq9_total_expected": expected_total(script),
        "phq9_total_heard": form[0][0] if form else None,
        "re_prompts": form[0][1] if form else None,
        "utterances": site.records("SELECT count(*) FROM utterance")[0][0],
        "planted_strings_found_outside": sum(found for found in _planted(site).values()),
        "seconds_last_word_to_alert": _seconds(said[0] if said else None, seen),
        "falls": len(falls),
        "fall_confirmed_by": falls[0].get("confirmed_by") if falls else None,
        "seconds_suspected_to_confirmed": _between(page.first(POSSIBLE), page.first(CERTAIN)),
        "seconds_pulled_to_blind": _between(pulled, page.first(BLIND)),
        "seconds_plugged_to_seeing": round(seconds_to_seeing, 2),
    }
    right = (
        produced == committed[0]
        and summary["duplicates"] == 0
        and {"request", "risk-answer"} <= set(alerts)
        and summary["phq9_total_heard"] == summary["phq9_total_expected"]
        and summary["utterances"] > 0
        and summary["planted_strings_found_outside"] == 0
        and summary["seconds_last_word_to_alert"] is not None
        and [fall["severity"] for fall in falls] == ["critical"]
        and summary["seconds_suspected_to_confirmed"] is not None
        and summary["seconds_pulled_to_blind"] is not None
    )
    print(json.dumps({"ok": right, **summary}))
    return 0 if right else 1


def watch(site: Site) -> int:
    """Run at real time for someone who watches in a browser, until interrupted."""
    for role in ("admin", "clinician", "staff"):
        site.make_account(role)
    print(f"""
  Open        {site.address}
  Sign in as  clinician   password  {site.password}
              (staff and admin have the same password; it is made anew every time)

  A clinician and an admin are then asked for a one-time code; staff are not. Here, use these: each works once.
  clinician   {"  ".join(site.recovery_codes["clinician"][:3])}
  admin       {"  ".join(site.recovery_codes["admin"][:3])}

  The rooms wake up when you have signed in. Stop with Ctrl-C.
""")
    until("a sign-in", lambda: site.records("SELECT account FROM web_session"), seconds=24 * 3600, every=0.5)
    camera_room, _ = start(site, speed=1)
    print("Room 1: someone asks for water.        Room 2: someone fills a PHQ-9 (a few minutes).")
    record_a_session(site, seconds=600)
    print("Room 1: the clinician has switched on a recorded session, with consent.")
    until("the form", partial(_has_form, site), seconds=1800, every=1.0)
    camera_room.agree_to_camera()
    print(f"""
  Room 2: staff have stated the patient's consent to the camera. It is SIMULATED: a synthetic stream of keypoints, made
  by a program; no camera looks at anybody. Somebody comes in, and falls in about {camera_room.fell_s:.0f} seconds.
  The room asks whether they are all right; nobody answers.
""")
    camera_room.await_fall("suspected")
    print("Room 2: a possible fall is on the board.")
    camera_room.await_fall("confirmed")
    print("Room 2: nobody answered or got up: the fall is confirmed, and critical.")
    time.sleep(LOOK_SECONDS)
    cable = camera_room.pull()
    print("Room 2: the camera's cable was pulled (its file moved away): the room says that it cannot see.")
    time.sleep(LOOK_SECONDS)
    camera_room.plug_in(cable)
    print("Room 2: it is back in, and that alert has closed by itself. The fall stays until a person has been there.")
    for room in (WATER_ROOM, FORM_ROOM):
        until(f"the patient in {room}", partial(_has_finished, site, room), seconds=1800, every=1.0)
    print("Both patients are done. The pages stay open until Ctrl-C.")
    threading.Event().wait()
    return 0


def _has_finished(site: Site, room: str) -> bool | None:
    path = site.folder / f"{room}.patient.outcome.json"
    if not path.exists():
        return None
    outcome = Outcome.model_validate_json(path.read_bytes())
    if outcome.gave_up:
        raise RuntimeError(f"the patient in {room} gave up: the room did not understand")
    return outcome.done or None


def _has_form(site: Site) -> bool:
    _has_finished(site, FORM_ROOM)
    return bool(site.records("SELECT id FROM form_response WHERE status = 'completed'"))


def _is_empty(site: Site, room: str) -> bool:
    return site.pending(room) == 0


def _planted(site: Site) -> dict[str, int]:
    files = [path for path in [*site.hub_folder.rglob("*"), *site.folder.glob("*.log")] if path.is_file()]
    contents = [path.read_bytes().lower() for path in files]
    return {plant: sum(plant.lower().encode() in content for content in contents) for plant in PLANTED}


def _seconds(said: datetime | None, seen: float | None) -> float | None:
    return None if said is None or seen is None else round(seen - said.timestamp(), 2)


def _between(earlier: float | None, later: float | None) -> float | None:
    return None if earlier is None or later is None or later < earlier else round(later - earlier, 2)


def main() -> int:
    """Run the demo; however it is ended, the hub and the rooms end with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="persona-forge-demo-") as folder, Site(Path(folder)) as site:
        try:
            return once(site) if os.environ.get("DEMO_ONCE") else watch(site)
        except KeyboardInterrupt:
            return 0
        except (TimeoutError, RuntimeError) as error:
            for log in sorted(Path(folder).glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(encoding='utf-8')[-1500:]}", file=sys.stderr)
            print(f"demo: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())

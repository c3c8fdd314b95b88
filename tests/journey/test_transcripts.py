"""Somebody brings a transcript in at the command line: killed, stopped, with a hub that serves and without one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.fakes.transcripts import markdown, turns
from tests.journey.transcripts import prove
from tests.journey.world import Site, until

from forge_hub.passes.runs import RunFolder

IMPORT = ("--person", "p-1", "--new-person", "--session-date", "2026-02-01", "--consent-reason", "signed-form")


@pytest.mark.slow
def test_a_command_that_is_killed_at_any_point_loses_and_doubles_nothing(tmp_path: Path) -> None:
    outcome = prove(tmp_path, 300, 5, 20261123, {}, "ladybug")
    assert outcome.is_clean, outcome
    assert outcome.kills == 5


STOPS_WITHIN_SECONDS = 2.0
"""The promise is one second, on a machine that does nothing else."""


def started(site: Site, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "FORGE_HUB_STATE_DIR": str(site.hub_folder), "FORGE_HUB_SITE": "ward-7"}
    return subprocess.Popen(
        [sys.executable, "-m", "forge_hub", *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"{words!r} never came")


@pytest.mark.slow
def test_a_transcript_comes_in_while_the_hub_serves_and_the_hub_may_be_killed_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "session.md"
    file.write_bytes(markdown(turns(320)))
    with Site(tmp_path) as site:
        site.make_account("clinician")
        [(clinician,)] = site.records("SELECT username FROM account WHERE role = 'clinician'")
        command = ("mind", "import", str(file), *IMPORT, "--consent-stated-by", clinician)

        with started(site, *command) as importing:
            wait_for(importing, "pass b: chunk 3")
            site.kill_hub()
        assert importing.returncode == 1
        site.start_hub()

        with started(site, *command, "--step") as stepping:
            wait_for(stepping, "Enter for the next chunk")
            begun = time.monotonic()
            stepping.send_signal(signal.SIGINT)
            wait_for(stepping, "stopped; the same command goes on from here")
            assert time.monotonic() - begun < STOPS_WITHIN_SECONDS
        assert stepping.returncode == 1

        [listed] = map(json.loads, site.hub_command("mind", "runs").splitlines())
        with started(site, *command, "--step") as waiting:
            wait_for(waiting, "Enter for the next chunk")
            RunFolder.open(site.hub_folder, listed["id"]).ask_to_stop()
            begun = time.monotonic()
            wait_for(waiting, "stopped; the same command goes on from here")
            assert time.monotonic() - begun < STOPS_WITHIN_SECONDS
        assert waiting.returncode == 1

        done = json.loads(site.hub_command(*command))
        assert done["done"] == ["a", "b", "c"]
        alignment = json.loads(site.hub_command("audit", "alignment"))
        assert (alignment["clean"], alignment["utterances"]) == (True, done_rows(site))
        assert done_rows(site) > 320
        nodes = {node for (node,) in site.records("SELECT node FROM room")}
        assert nodes == set(), "no room has come of it"

        removed = json.loads(site.hub_command("mind", "remove", done["run"][:8]))
        assert removed["run"] == done["run"]
        assert done_rows(site) == 0
        until("the stores to agree", lambda: json.loads(site.hub_command("audit", "alignment"))["clean"])


def done_rows(site: Site) -> int:
    [(count,)] = site.records("SELECT count(*) FROM utterance")
    return int(count)


def test_a_refusal_at_the_command_line_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for name, content in (("a.json", b'{"Margaret Whitfield": ['), ("b.docx", b"PK\x03\x04"), ("c.txt", b"")):
        (tmp_path / name).write_bytes(content)
        with started(site, "mind", "import", str(tmp_path / name), *IMPORT, "--consent-stated-by", "carla") as refused:
            out, said = refused.communicate(timeout=60)
        assert (refused.returncode, out) == (1, "")
        assert "transcript.refused." in said
        assert len(said.splitlines()) == 1
        assert "Margaret" not in said

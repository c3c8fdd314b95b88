"""From the last word of a risk answer to the alert in an open browser page, split by stage. Real time, real browser.

The baseline is the same alert as a page that reads the board every ten seconds would show it: the simplest correct way.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Page
from tests.fakes.browser import open_browser, open_context
from tests.journey.world import Site, until

from forge_edge.audio.outcome import Outcome
from forge_edge.audio.voices import VOICES
from forge_edge.dialogue.conversation import Conversation
from forge_edge.forms import interview as interviews
from forge_edge.forms.asked import AskedForm
from forge_edge.speech.grammar import Meaning
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id

FORM = installed()["phq-9"]
RISK = next(item for item in FORM.questions if item.is_risk)
SPOKEN = "several days"
POLL_SECONDS = 10.0
WATCH = """
window.seen = {};
new MutationObserver(() => {
  for (const element of document.querySelectorAll('[id^="alert-"]')) {
    window.seen[element.id.slice(6)] ??= Date.now();
  }
}).observe(document, { childList: true, subtree: true });
"""


def before_the_risk_item() -> Conversation:
    """Return a form of which eight questions are answered, as a restarted node finds it."""
    form, now = AskedForm(FORM), datetime.now(UTC)
    step = interviews.begin(form, new_id(), now)
    while step.state.current != RISK.link_id:
        none = form.items[step.state.current].answer_option[0].code
        for said in (Meaning("answer", none), Meaning("confirmation", "yes")):
            step = interviews.hear(form, step.state, said, now=now)
    return Conversation(interview=step.state)


async def run(site: Site, page: Page, number: int, voice: str) -> dict[str, Any] | None:
    """Let one patient answer item 9; return the seconds of every stage."""
    room = f"room-{number}"
    site.room_folder(room).mkdir()
    (site.room_folder(room) / "conversation.json").write_text(before_the_risk_item().model_dump_json())
    script = {
        "voice": VOICES[voice].voice.model_dump(),
        "wake_word": VOICES[voice].wake_words[0],
        "noise": {"snr_db": 25.0, "seed": number},
        "wants": [
            {"kind": "form", "answers": {RISK.link_id: SPOKEN, FORM.questions[-1].link_id: "not difficult at all"}}
        ],
    }
    word = VOICES[voice].wake_words[0].replace(" ", "_")
    site.start_room(room, script=script, speed=1, FORGE_EDGE_WAKE_WORDS=json.dumps([word]))
    query = (
        "SELECT alert.id, event_log.time, event_log.received_at, alert.raised_at FROM alert"
        " JOIN event_log ON event_log.event_id = alert.event_id"
        " WHERE alert.node = ? AND alert.kind = 'risk-answer' ORDER BY alert.raised_at"
    )
    try:
        rows = await asyncio.to_thread(until, "the alert", lambda: site.records(query, room), seconds=120)
        alert, happened, received, raised = rows[0]
        await page.wait_for_function("id => window.seen[id]", arg=alert)
        shown = await page.evaluate("id => window.seen[id]", alert) / 1000
        said = await asyncio.to_thread(until, "the patient's word", lambda: _said(site, room), seconds=30)
    except TimeoutError:
        return None
    finally:
        site.stop_room(room)
    moments = [said, *(_utc(text) for text in (happened, received, raised)), shown]
    names = ("hearing", "transport", "alerting", "page")
    stages = {name: round(b - a, 3) for name, a, b in zip(names, moments, moments[1:], strict=False)}
    return {**stages, "total": round(shown - said, 3), "polling": round(moments[3] - said + POLL_SECONDS / 2, 3)}


def _said(site: Site, room: str) -> float | None:
    path = site.folder / f"{room}.patient.outcome.json"
    outcome = Outcome.model_validate_json(path.read_bytes())
    said = [said for said in outcome.said if said.meaning.startswith(f"{RISK.link_id}=")]
    # The first saying that was understood is the one before the first read-back was answered.
    answered = next((index for index, word in enumerate(outcome.said) if word.meaning in ("yes", "no") and said and word.last_word_at > said[0].last_word_at), None)  # fmt: skip  # noqa: E501 (one search)
    understood = [word for word in outcome.said[:answered] if word in said]
    return understood[-1].last_word_at.timestamp() if understood else None


def _utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


async def measure(runs: int) -> None:
    """Run the patients one after the other and print the figures."""
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        site.make_account("admin")
        site.make_account("staff")
        async with open_browser() as browser, open_context(browser, site.address) as context:
            page = await context.new_page()
            await page.add_init_script(WATCH)
            await page.goto("/login")
            await page.get_by_label("Username").fill("staff")
            await page.get_by_label("Password").fill(site.password)
            await page.keyboard.press("Enter")
            await page.wait_for_selector("#live[data-state=live]")
            voices = ["rms", "slt", "american", "received", "kal", "awb"]
            results = [await run(site, page, number, voices[number % len(voices)]) for number in range(runs)]
    heard = [result for result in results if result is not None]
    for stage in ("hearing", "transport", "alerting", "page", "total"):
        values = sorted(result[stage] for result in heard)
        line = {
            "figure": "alert_latency_seconds",
            "stage": stage,
            "median": round(statistics.median(values), 3),
            "p95": values[min(len(values) - 1, round(0.95 * (len(values) - 1)))],
            "n": len(values),
        }
        if stage == "total":
            line["baseline_polling_median"] = round(statistics.median(result["polling"] for result in heard), 3)
            line["not_understood"] = len(results) - len(heard)
        print(json.dumps(line))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=12)
    asyncio.run(measure(parser.parse_args().runs))


if __name__ == "__main__":
    main()

"""What a scraper reads: true numbers, nothing about anybody, and only with its token."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr, ValidationError
from sqlalchemy import select
from structlog.testing import capture_logs
from tests.fakes.pages import client, open_pages
from tests.fakes.sent import WATER, phq_9, risk
from tests.fakes.ward import FakeWard, open_ward

from forge_hub.access import audit
from forge_hub.alerts.projector import AlertProjection
from forge_hub.alerts.raising import write_step
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import Runner
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import Alert, Room
from forge_hub.settings import HubSettings
from forge_hub.telemetry.metrics import Metrics
from forge_hub.telemetry.readings import Intake, Readings
from forge_hub.web.parts import Scrape
from forge_shared.events import CanarySent
from forge_shared.wire import PROTOCOL

TOKEN = "a-token-of-a-scraper-4711"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Scraped:
    """A ward whose numbers are read, as the composition root wires them."""

    def __init__(self, folder: Path) -> None:
        self.ward: FakeWard = open_ward(folder)
        self.metrics = Metrics("1.2.3")
        self.ward.database.on_written(self.metrics.written)
        self.ingest = IngestStore("site", self.ward.database, self.ward.clock)
        self.intake = Intake({"alarm": 0, "record": 7, "state": 0}, 3, connected=True)
        self.health = {"ingest": "ok", "disk": "disk.low"}
        runners = [
            Runner(self.ward.database, AlertProjection(self.ward.database, self.ward.clock)),
            Runner(self.ward.database, RecordsProjection(self.ward.database, {})),
        ]
        self.metrics.add(
            Readings(
                self.ward.database,
                self.ward.clock,
                folder=folder,
                runners=runners,
                intake=lambda: self.intake,
                health=lambda: self.health,
            )
        )

    def arrives(self, *messages: Arrived) -> None:
        self.metrics.committed(self.ingest.commit(messages))

    def value(self, name: str, **labels: str) -> float | None:
        for family in text_string_to_metric_families(self.metrics.text().decode()):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return None


@pytest.fixture
def scraped(tmp_path: Path) -> Iterator[Scraped]:
    opened = Scraped(tmp_path)
    yield opened
    opened.ward.database.close()


def test_what_is_committed_repeated_and_unreadable_is_counted(scraped: Scraped) -> None:
    node = scraped.ward.nodes["room-1"]
    sent = [node.send(WATER), node.send(phq_9(node.clock, [0] * 9)), node.send(phq_9(node.clock, [0] * 9))]
    scraped.arrives(*sent, node.garbage(b"{", lane="record"))
    scraped.arrives(sent[0])
    assert scraped.value("forge_hub_events_committed_total", lane="alarm") == 1
    assert scraped.value("forge_hub_events_committed_total", lane="record") == 2
    assert scraped.value("forge_hub_events_duplicate_total") == 1
    assert scraped.value("forge_hub_events_quarantined_total", reason="event.invalid") == 1
    assert scraped.value("forge_hub_quarantine_messages", reason="event.invalid") == 1
    assert scraped.value("forge_hub_ingest_batch_seconds_count") == 2


async def test_alerts_are_counted_from_raised_to_accepted(scraped: Scraped) -> None:
    ward = scraped.ward
    ward.on_duty("ann")
    first, _ = ward.alarm(risk()), ward.alarm(WATER, "room-8")
    assert scraped.value("forge_hub_alerts_raised_total", priority="high") == 1
    assert scraped.value("forge_hub_alerts_raised_total", priority="low") == 1
    assert scraped.value("forge_hub_alerts_rung_total") == 2
    ward.clock.advance(45)
    assert scraped.value("forge_hub_alerts_oldest_open_seconds") == 45
    await ward.board.accept(first.id, "ann")
    assert scraped.value("forge_hub_alert_accept_seconds_bucket", le="30.0") == 0
    assert scraped.value("forge_hub_alert_accept_seconds_bucket", le="60.0") == 1
    assert scraped.value("forge_hub_alerts_open", priority="high") == 0
    assert scraped.value("forge_hub_alerts_open", priority="low") == 1


def test_a_canary_is_no_alert_and_what_is_rolled_back_was_never_there(scraped: Scraped) -> None:
    scraped.ward.alarm(CanarySent())
    assert scraped.value("forge_hub_alerts_raised_total", priority="low") == 0
    assert scraped.value("forge_hub_alerts_open", priority="low") == 0
    alert = scraped.ward.alarm(WATER)
    with scraped.ward.database.begin() as transaction:
        write_step(transaction, alert.id, "rung", scraped.ward.clock.now(), level=1)
        transaction.flush()
        transaction.rollback()
    assert scraped.value("forge_hub_alerts_rung_total") == 1


def test_attempts_to_deliver_are_counted_by_channel_and_outcome(scraped: Scraped) -> None:
    alert = scraped.ward.alarm(WATER)
    with scraped.ward.database.begin() as transaction:
        for what in ("undelivered", "undelivered", "delivered"):
            write_step(transaction, alert.id, what, scraped.ward.clock.now(), detail="webhook")
    name = "forge_hub_alert_deliveries_total"
    assert scraped.value(name, channel="webhook", outcome="failed") == 2
    assert scraped.value(name, channel="webhook", outcome="delivered") == 1


def test_what_is_read_at_the_scrape_is_as_it_is_then(scraped: Scraped) -> None:
    ward = scraped.ward
    scraped.arrives(ward.nodes["room-1"].send(WATER), ward.nodes["room-1"].send(phq_9(ward.clock, [0] * 9)))
    ward.clock.advance(20)
    assert scraped.value("forge_hub_projection_lag_events", projection="alerts") == 1
    assert scraped.value("forge_hub_projection_lag_seconds", projection="records") == 20
    assert scraped.value("forge_hub_last_commit_seconds") == 20
    assert scraped.value("forge_hub_ingest_waiting_messages", kind="record") == 7
    assert scraped.value("forge_hub_ingest_refused_records_total") == 3
    assert scraped.value("forge_hub_broker_connected") == 1
    assert scraped.value("forge_hub_part_ok", part="disk") == 0
    assert (scraped.value("forge_hub_disk_free_bytes") or 0) > 0
    assert (scraped.value("forge_hub_records_bytes") or 0) > 10_000
    assert scraped.value("forge_hub_rooms", connection="online") == 0
    assert scraped.value("forge_hub_build_info", version="1.2.3", protocol=str(PROTOCOL)) == 1
    assert (scraped.value("process_resident_memory_bytes") or 0) > 0


def test_what_cannot_be_read_is_left_out_and_the_rest_is_shown(scraped: Scraped) -> None:
    with scraped.ward.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE room RENAME TO elsewhere")
    assert scraped.value("forge_hub_rooms", connection="online") is None
    assert scraped.value("forge_hub_broker_connected") == 1


def test_no_number_names_a_person_a_room_or_what_was_asked_for(scraped: Scraped) -> None:
    node = scraped.ward.nodes["room-1"]
    scraped.ward.alarm(risk())
    scraped.arrives(node.send(WATER), node.garbage(b"planted words"), Arrived("forge/v1/planted/x", b""))
    with scraped.ward.database.begin() as transaction:
        alert = transaction.scalars(select(Alert)).first()
        assert alert is not None
        values = {"activity": "idle", "session_on": False, "pending_events": 0, "version": "1"}
        where = {"connection": "online", "hearing": "ok", "sight": "closed"}
        transaction.add(Room(node="room-1", seen_at=scraped.ward.clock.now(), **where, **values))
    text = scraped.metrics.text().decode()
    for planted in ("room-1", "room-8", node.subject, "planted", "water", "risk", "phq", "44260-8", alert.id):
        assert planted not in text, planted


async def test_without_a_token_in_the_settings_nobody_reads_the_numbers(tmp_path: Path) -> None:
    with open_pages(tmp_path) as pages:
        async with client(pages) as http:
            assert (await http.get("/metrics", headers=BEARER)).status_code == 404


async def test_only_the_scrapers_token_opens_the_numbers_and_a_wrong_one_is_in_the_audit(tmp_path: Path) -> None:
    read = Scrape(SecretStr(TOKEN), lambda: b"forge_hub_build_info 1\n")
    with open_pages(tmp_path, scrape=read) as pages:
        pages.account("admin")
        async with client(pages, "admin") as http:
            for wrong in (b"", "Bearer wrong-\u00e9".encode("latin-1"), TOKEN.encode()):
                with capture_logs() as logged:
                    refused = await http.get("/metrics", headers={b"Authorization": wrong})
                assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
                assert TOKEN not in str(logged)
        async with client(pages) as http:
            answer = await http.get("/metrics", headers=BEARER)
        found = [entry for entry in audit.entries(pages.database) if entry.action == "metrics.read"]
    assert answer.text == "forge_hub_build_info 1\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert [(entry.outcome, entry.reason) for entry in found] == [("refused", "metrics.token")] * 3


async def test_a_scraper_is_answered_while_the_store_is_not(tmp_path: Path) -> None:
    with open_pages(tmp_path, scrape=Scrape(SecretStr(TOKEN), lambda: b"still here")) as pages:
        with pages.database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE device_token RENAME TO elsewhere")
        async with client(pages) as http:
            assert (await http.get("/metrics", headers=BEARER)).text == "still here"


@pytest.mark.parametrize("token", ["", "short", "changeme"])
def test_a_token_that_can_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(ValidationError):
        HubSettings(metrics_token=SecretStr(token))

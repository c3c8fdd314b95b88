"""A room's signature: who made it, over what, and nothing else passes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forge_hub.fleet.authority import Authority
from forge_shared import signatures
from forge_shared.clock import SystemClock
from forge_shared.errors import SignatureError

CONTENT = signatures.payload("p-1", {"total": 3, "signature": {"jws": "x"}})


class Site:
    """A site with one node."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, SystemClock())
        self.authority.prepare("site", ["localhost"])
        self.node = self.authority.issue("room-1", timedelta(days=1))
        self.pem = self.authority.authority_pem()

    def sign(self, content: bytes = CONTENT) -> str:
        return signatures.sign(content, self.node.key, self.node.certificate)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


def test_a_signature_names_the_node_that_made_it(site: Site) -> None:
    assert signatures.signer(CONTENT, site.sign(), site.pem, datetime.now(UTC)) == "room-1"


def test_what_is_signed_is_the_content_for_one_person_without_a_signature_of_its_own() -> None:
    assert signatures.payload("p-1", {"total": 3}) == CONTENT
    assert signatures.payload("p-2", {"total": 3}) != CONTENT


def test_a_node_of_another_site_is_nobody_here(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path)
    with pytest.raises(SignatureError):
        signatures.signer(CONTENT, other.sign(), site.pem, datetime.now(UTC))


@pytest.mark.parametrize("days", [-30, 30])
def test_a_certificate_signs_only_while_it_is_valid(site: Site, days: int) -> None:
    with pytest.raises(SignatureError, match="not valid then"):
        signatures.signer(CONTENT, site.sign(), site.pem, datetime.now(UTC) + timedelta(days=days))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), other=st.sampled_from("Ab0_-."))
def test_an_altered_signature_is_none(site: Site, place: int, other: str) -> None:
    jws = site.sign()
    place %= len(jws) - 1  # of the last character two bits have no meaning
    altered = f"{jws[:place]}{other}{jws[place + 1 :]}"
    if altered != jws:
        with pytest.raises(SignatureError):
            signatures.signer(CONTENT, altered, site.pem, datetime.now(UTC))


@pytest.mark.parametrize("jws", ["", "..", "a.b.c", "e30..e30", "bm90IGpzb24..AA", "W10..AA"])
def test_what_is_no_signature_is_refused(site: Site, jws: str) -> None:
    with pytest.raises(SignatureError):
        signatures.signer(CONTENT, jws, site.pem, datetime.now(UTC))


def test_a_key_that_cannot_be_read_signs_nothing(site: Site) -> None:
    with pytest.raises(SignatureError):
        signatures.sign(CONTENT, b"no key", site.node.certificate)


def test_a_signature_has_the_shape_of_fhir(site: Site) -> None:
    written = signatures.as_fhir(site.sign(), datetime.now(UTC), "/sites/site/nodes/room-1")
    assert set(written) == {"type", "when", "who", "sigFormat", "data"}
    assert written["sigFormat"] == "application/jose"

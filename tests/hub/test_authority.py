"""The site's keys: made once, kept private, renewed in time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.fakes.clock import FakeClock

from forge_hub.doors import doors_of, external_login
from forge_hub.errors import AuthorityError, HubConfigError
from forge_hub.fleet.authority import SERVER_DAYS, Authority
from forge_hub.settings import HubSettings

DAY = 24 * 3600.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def authority(tmp_path: Path, clock: FakeClock) -> Authority:
    made = Authority(tmp_path / "authority", clock)
    assert len(made.prepare("site", ["hub.test"])) == 3
    return made


def contents(authority: Authority) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in authority.folder.iterdir()}


def test_what_is_there_is_not_made_again_and_nobody_else_can_read_it(authority: Authority) -> None:
    before = contents(authority)
    assert authority.prepare("site", ["hub.test"]) == []
    assert contents(authority) == before
    assert authority.folder.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o777 for path in authority.folder.iterdir() if path.name != "lock"} == {0o600}


def test_another_name_of_the_hub_makes_another_server_certificate_and_leaves_the_authority(
    authority: Authority,
) -> None:
    before = contents(authority)
    assert len(authority.prepare("site", ["hub.test", "10.0.0.5"])) == 1
    after = contents(authority)
    assert {name for name in before if before[name] != after[name]} == {"server.pem", "server.key"}
    certificate = x509.load_pem_x509_certificate(after["server.pem"])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "10.0.0.5" in {f"{address}" for address in names.get_values_for_type(x509.IPAddress)}
    assert {"hub.test", "localhost"} <= set(names.get_values_for_type(x509.DNSName))


def test_the_hubs_certificates_are_renewed_at_two_thirds_of_their_life(authority: Authority, clock: FakeClock) -> None:
    clock.advance((SERVER_DAYS * 2 / 3 - 2) * DAY)
    assert authority.prepare("site", ["hub.test"]) == []
    clock.advance(3 * DAY)
    assert len(authority.prepare("site", ["hub.test"])) == 2


def test_a_pair_that_does_not_fit_because_the_power_failed_is_made_again(authority: Authority) -> None:
    authority.server_key_file.write_bytes(authority.hub_key_file.read_bytes())
    authority.hub_certificate_file.unlink()
    assert len(authority.prepare("site", ["hub.test"])) == 2
    assert authority.prepare("site", ["hub.test"]) == []


def test_a_nodes_certificate_names_the_node_and_is_good_for_a_client_only(authority: Authority) -> None:
    certificate = authority.issue("room-1", timedelta(days=90)).parsed
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.authority_pem()))
    assert [name.value for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["room-1"]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("name", ["", "Room", "a b", "a/b", "+", "#", "a\nb", "x" * 64])
def test_a_name_that_could_be_more_than_a_name_is_refused(authority: Authority, name: str) -> None:
    with pytest.raises(AuthorityError):
        authority.issue(name, timedelta(days=1))


def test_each_revocation_list_is_newer_than_the_one_before_however_fast_they_follow(
    authority: Authority, clock: FakeClock
) -> None:
    times = []
    for serial in range(1, 6):
        authority.revoke(dict.fromkeys(range(1, serial + 1), clock.now()))
        times.append(x509.load_pem_x509_crl(authority.revocations_file.read_bytes()).last_update_utc)
    assert times == sorted(set(times))
    assert times[-1] < clock.now()
    assert authority.revoked() == {1, 2, 3, 4, 5}


def test_of_several_who_make_the_keys_at_once_one_does(tmp_path: Path) -> None:
    clock = FakeClock()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: Authority(tmp_path / "keys", clock).prepare("site", ()), range(4)))
    assert sorted(len(sentences) for sentences in made) == [0, 0, 0, 3]


def test_keys_that_are_damaged_are_an_error_that_says_where(authority: Authority) -> None:
    authority.key_file.write_text("planted")
    with pytest.raises(AuthorityError) as refused:
        authority.issue("room-1", timedelta(days=1))
    assert "planted" not in str(refused.value)
    authority.server_certificate_file.write_text("planted")
    with pytest.raises(AuthorityError, match="authority"):
        authority.prepare("site", ["hub.test"])


# Which way the hub is reached.


@pytest.mark.parametrize(
    ("given", "decided", "address"),
    [
        ({}, (False, False), "http://127.0.0.1:8080"),
        ({"tls": "own", "port": 8443}, (True, True), "https://127.0.0.1:8443"),
        ({"host": "10.1.2.3"}, (True, True), "https://10.1.2.3:8080"),
        ({"host": "::", "public_url": "https://hub.test/"}, (True, True), "https://hub.test"),
        ({"public_url": "https://hub.test"}, (False, True), "https://hub.test"),
    ],
)
def test_https_is_the_hubs_own_beyond_loopback_and_where_it_is_asked_for(
    given: dict[str, str], decided: tuple[bool, bool], address: str
) -> None:
    doors = doors_of(HubSettings.model_validate(given))
    assert ((doors.own, doors.https), doors.address) == (decided, address)
    assert doors.enrolment_url == (address if doors.own else None)


@pytest.mark.parametrize(
    "given",
    [
        {"host": "::", "tls": "off"},
        {"host": "::", "tls": "proxy", "public_url": "https://hub.test"},
        {"host": "hub.test", "tls": "off"},
        {"tls": "proxy"},
        {"tls": "proxy", "public_url": "http://hub.test"},
    ],
)
def test_nothing_is_served_beyond_loopback_in_clear(given: dict[str, str]) -> None:
    with pytest.raises(HubConfigError, match="FORGE_HUB_TLS"):
        doors_of(HubSettings.model_validate(given))


def test_a_password_does_not_cross_to_another_machine_in_clear(authority: Authority) -> None:
    there = {"broker": "external", "broker_password": "a quiet river"}
    with pytest.raises(HubConfigError, match="FORGE_HUB_BROKER_CA"):
        external_login(HubSettings.model_validate({**there, "broker_host": "10.0.0.9"}))
    assert external_login(HubSettings.model_validate({**there, "broker_host": "127.0.0.1"})).tls is None
    files = {
        "broker_ca": authority.certificate_file,
        "broker_certificate": authority.hub_certificate_file,
        "broker_key": authority.hub_key_file,
    }
    login = external_login(HubSettings.model_validate({"broker": "external", "broker_host": "10.0.0.9", **files}))
    assert login.tls is not None
    assert login.username is None
    with pytest.raises(HubConfigError, match="BROKER_PASSWORD"):
        external_login(HubSettings(broker="external"))

import hashlib
from pathlib import Path

_BLIND = Path(__file__).parents[1] / "golden" / "blind"


def test_the_blind_sets_are_as_they_were_before_the_rules_they_judge() -> None:
    listed = {line.split()[1]: line.split()[0] for line in (_BLIND / "SHA256SUMS").read_text().splitlines()}
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in _BLIND.glob("*.jsonl")}

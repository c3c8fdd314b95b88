"""A clock that a test sets."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Time stands still until the test moves it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
        self.elapsed = 100.0

    def now(self) -> datetime:
        return self.at

    def monotonic_seconds(self) -> float:
        return self.elapsed

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.elapsed += seconds

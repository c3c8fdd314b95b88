"""Waiting before trying again."""

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with full jitter: what broke together must not come back in step.

    Source: Brooker 2015, "Exponential Backoff And Jitter", AWS Architecture Blog (the "full jitter" variant).

    Attributes:
        first_seconds: Upper bound of the first wait.
        longest_seconds: Upper bound of every later wait.
        failures: Failures since the last success.
    """

    first_seconds: float
    longest_seconds: float
    failures: int = 0
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def failed(self) -> float:
        """Count a failure and return the seconds to wait before the next try."""
        bound = min(self.longest_seconds, self.first_seconds * 2 ** min(self.failures, 30))
        self.failures += 1
        return self._random.uniform(0, bound)

    def succeeded(self) -> int:
        """Forget the failures and return how many there were."""
        failures, self.failures = self.failures, 0
        return failures

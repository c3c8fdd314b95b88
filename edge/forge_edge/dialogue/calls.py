"""Calls of the room that a person has not answered yet, and when to say so and ask again. Pure."""

from dataclasses import dataclass, replace

from forge_edge.observations import CrisisObserved, Observation, RequestObserved

TIMES = 3
"""How often a call is made in all. By then everyone at the hub has been rung again and again; saying so once more to
somebody who waits helps nobody. Ours."""
_URGENT_SECONDS, _PROMPT_SECONDS, _CALM_SECONDS = 120.0, 240.0, 480.0
"""After so long the hub has rung everyone on duty and not: `everyone_seconds` of its plans for high, medium and low."""
_PROMPT = frozenset({"nurse", "pain", "toilet"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call and its repeats. Moments are monotonic seconds.

    Attributes:
        observation: What was asked for.
        events: Ids of the events that say so; an acceptance names one of them.
        asked_at: When it was last made.
        times: How often it was made.
    """

    observation: RequestObserved | CrisisObserved
    events: tuple[str, ...]
    asked_at: float
    times: int = 1


Calls = tuple[Call, ...]


def made(calls: Calls, observation: Observation, event: str, now: float) -> Calls:
    """Take note of a call that was stored. What is asked for again is the same call."""
    if not isinstance(observation, RequestObserved | CrisisObserved):
        return calls
    same = next((call for call in calls if _what(call.observation) == _what(observation)), None)
    if same is None:
        return (*calls, Call(observation, (event,), now))
    others = tuple(call for call in calls if call is not same)
    return (*others, replace(same, events=(*same.events, event), asked_at=now, times=same.times + 1))


def accepted(calls: Calls, event: str) -> Calls:
    """Take note that a person has taken the call that an event made."""
    return tuple(call for call in calls if event not in call.events)


def due(calls: Calls, now: float) -> tuple[Calls, tuple[Observation, ...]]:
    """Return the calls that are still waited for, and what is to be asked for again now.

    A call that was made often enough is not watched any more: the hub goes on ringing.
    """
    again = [call for call in calls if now - call.asked_at >= _patience_seconds(call.observation)]
    watched = tuple(call for call in calls if call not in again or call.times < TIMES)
    return watched, tuple(call.observation for call in again if call.times < TIMES)


def _what(observation: RequestObserved | CrisisObserved) -> str:
    return observation.request if isinstance(observation, RequestObserved) else f"crisis/{observation.category}"


def _patience_seconds(observation: RequestObserved | CrisisObserved) -> float:
    if isinstance(observation, CrisisObserved) or observation.request == "help":
        return _URGENT_SECONDS
    return _PROMPT_SECONDS if observation.request in _PROMPT else _CALM_SECONDS

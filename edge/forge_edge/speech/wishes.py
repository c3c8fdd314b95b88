"""What may be asked of the room beside the first four requests, in English.

Few ways of saying each, of several words: every further phrase is one that sound may be taken for.
"""

from collections.abc import Mapping

MORE_REQUESTS: Mapping[str, tuple[str, ...]] = {
    "toilet": (
        "i need the toilet",
        "i need to go to the toilet",
        "take me to the toilet please",
        "i need the bathroom",
    ),
    "blanket": ("can i have a blanket", "i need a blanket", "a blanket please", "i am cold"),
    "light": ("it is too dark", "it is too bright", "i need more light"),
    "temperature": ("it is too hot in here", "it is too cold in here", "i am too hot"),
    "music": ("i would like some music", "can i have some music"),
    "menu": ("i want to order my meal", "i would like something to eat", "i am hungry"),
}
"""Requests of the staff, by `forge_shared.events.RequestCode`."""

VOICE_WISHES: Mapping[str, tuple[str, ...]] = {
    "voice/slower": ("speak slower", "speak more slowly", "speak slower please"),
    "voice/faster": ("speak faster", "speak faster please"),
    "voice/louder": ("speak louder", "speak louder please", "speak up please"),
    "voice/quieter": ("speak quieter", "speak more quietly", "speak quieter please"),
    "voice/higher": ("a higher voice please", "speak with a higher voice"),
    "voice/lower": ("a lower voice please", "a deeper voice please", "speak with a lower voice"),
    "say-again": ("say that again", "say it again please", "what did you say"),
}
"""What is understood whatever the room has asked. Of several words, as a bare "slower" sounds like "no" and "never"."""

WISHES: Mapping[str, tuple[str, ...]] = {
    **VOICE_WISHES,
    "voice/slower": (*VOICE_WISHES["voice/slower"], "slower", "slower please"),
    "voice/faster": (*VOICE_WISHES["voice/faster"], "faster", "faster please"),
    "voice/louder": (*VOICE_WISHES["voice/louder"], "louder", "louder please"),
    "voice/quieter": (*VOICE_WISHES["voice/quieter"], "quieter", "quieter please"),
    "time": ("what time is it", "what is the time", "tell me the time"),
    "day": ("what day is it", "what day is it today", "what is the date"),
    "menu": ("what is on the menu", "what is for lunch", "what is for dinner", "what is there to eat"),
    "ambience/light-on": ("turn on the light", "turn the light on", "light on please"),
    "ambience/light-off": ("turn off the light", "turn the light off", "light off please"),
    "ambience/warmer": ("make it warmer", "make it warmer please"),
    "ambience/cooler": ("make it cooler", "make it cooler please"),
    "ambience/music-on": ("play some music", "turn on the music"),
    "ambience/music-off": ("stop the music", "turn off the music"),
    "ambience/blinds-open": ("open the blinds", "open the curtains"),
    "ambience/blinds-close": ("close the blinds", "close the curtains"),
}
"""What the room does by itself, by a code of its own."""

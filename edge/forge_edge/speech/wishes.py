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

TO_REMINDER: Mapping[str, tuple[str, ...]] = {
    "done": ("done", "it is done", "i have done it", "i have done that", "i have taken it", "yes i have"),
    "later": ("later", "later please", "not now", "in a moment", "remind me later"),
    "refused": ("no", "no thank you", "i do not want to"),
}
"""What may be said to a reminder."""

TO_FALL_CHECK: Mapping[str, tuple[str, ...]] = {
    "fine": (
        "i am fine",
        "i'm fine",
        "i am all right",
        "i'm all right",
        "i am okay",
        "i'm okay",
        "yes i am fine",
        "yes i'm fine",
        "yes i am all right",
        "yes i'm all right",
    ),
    "hurt": ("i fell", "i have fallen", "i've fallen", "i can't get up", "i cannot get up", "i am hurt", "i'm hurt"),
}
"""What may be said to somebody who asks whether all is right after what looked like a fall."""

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

EXERCISES: Mapping[str, tuple[str, ...]] = {
    "exercise/box-breathing": ("box breathing", "start box breathing"),
    "exercise/breathing-4-7-8": ("four seven eight breathing", "four seven eight"),
    "exercise/paced-breathing": ("slow breathing", "breathe with me", "i want to breathe slowly"),
    "exercise/grounding": ("grounding exercise", "five four three two one"),
    "exercise/body-scan": ("body scan", "start the body scan"),
    "exercise/thought-check": ("look at a thought", "look at a thought with me"),
    "exercise/one-small-thing": ("one small thing", "let us do one small thing"),
    "exercise/worry-time": ("worry time", "i worry too much"),
    "exercise/kind-friend": ("as a friend would", "i am too hard on myself"),
    "exercise/leaves-on-a-stream": ("leaves on a stream", "leaves on the stream"),
    "exercise/dropping-anchor": ("dropping anchor", "drop the anchor"),
    "exercise/what-matters": ("what matters", "what matters to me"),
    "exercises": ("what exercises are there", "i want to do an exercise", "help me to relax"),
    "go-on": ("go on", "go on please", "continue", "continue the exercise"),
}
"""Exercises by the name of their file, the list of them, and the way back into one that was paused."""

DURING_EXERCISE: Mapping[str, tuple[str, ...]] = {
    "stop": ("stop", "please stop", "i want to stop", "stop the exercise", "never mind"),
    "pause": ("pause", "pause please", "wait please", "wait a moment"),
    "go-on": EXERCISES["go-on"],
    "dizzy": ("i feel dizzy", "i am dizzy", "my head is spinning", "i feel light headed"),
}
"""What steers an exercise."""

WISHES: Mapping[str, tuple[str, ...]] = {
    **EXERCISES,
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

"""What the room says of itself, word by word. Nothing here promises more than is known."""

NO_HUB = "I cannot reach the staff from here right now. Please press the call button."
TELLING = "Thank you for telling me. I am letting the staff know. If you feel unsafe, press the call button."
OFFER_HELP = "If you need somebody now, say: help me. Or press the call button."
CALLING = "I am calling the staff now. Press the call button if you can."
UNANSWERED = "Nobody has answered yet. I have asked again. Please press the call button if you can."
NO_AMBIENCE = "I cannot do that from here right now. You can ask the staff."
ACCEPTED = "Help is coming. A member of the staff has taken your call."
"""The only promise that the room makes, and only when the hub says that a person has accepted an alert of this room."""
REOPENED = "I am asking the staff again. You can also press the call button."
"""Takes the promise back, when that person gave the alert back or did not come in time."""
WHO = "Is it the patient of this room who speaks? Please say yes or no."
WORD = "Please say the word that you have agreed with the staff."
NOT_THE_WORD = "I did not hear the agreed word, so I will not start the form. A member of the staff can help."
NOT_THE_PIN = "That is not the right number."
NOT_THE_PATIENT = "Thank you. Then I will not start the form."
NOBODYS_ROOM = "I do not know whose room this is, so I cannot start a form. You can ask the staff."
NOT_LISTENING = "I am not listening any more. Use the call button."
SESSION_ON = "The recorded session is on. What you say is now written down."
SESSION_OFF = "The recorded session is off."

SENDING: dict[str, str] = {
    "water": "I am telling the staff that you would like some water.",
    "nurse": "I am telling the staff that you asked for a nurse.",
    "pain": "I am telling the staff that you are in pain. You can also press the call button.",
    "help": "I am telling the staff that you need help. Press the call button too, if you can.",
    "toilet": "I am telling the staff that you need the toilet. Please wait for them, or press the call button.",
    "blanket": "I am telling the staff that you would like a blanket.",
    "light": "I am telling the staff about the light.",
    "temperature": "I am telling the staff about the temperature.",
    "music": "I am telling the staff that you would like music.",
    "menu": "I am telling the staff that you ask about your meals.",
}
EXERCISE_STOPPED = "We stop here. You can call me whenever you want to go on with something."
EXERCISE_PAUSED = "I will wait. Call me, and say: go on."
EXERCISE_UNCLEAR = "Sorry, I did not understand. Please say: go on, or: stop."
NO_EXERCISE = "There is no exercise to go on with."
DIZZY = "Then we stop here. Breathe as you normally do. If it does not pass, say: nurse, or press the call button."
REMINDER_DONE = "Thank you."
REMINDER_LATER = "I will say it again in ten minutes."
REMINDER_REFUSED = "I am telling the staff that it is not done."
NOTHING_SAID = "I have not said anything."
VOICE: dict[str, tuple[str, str]] = {
    "slower": ("I will speak more slowly.", "I cannot speak more slowly."),
    "faster": ("I will speak faster.", "I cannot speak faster."),
    "louder": ("I will speak louder.", "I cannot speak louder."),
    "quieter": ("I will speak more quietly.", "I cannot speak more quietly."),
    "higher": ("I will speak with a higher voice.", "I cannot speak with a higher voice."),
    "lower": ("I will speak with a lower voice.", "I cannot speak with a lower voice."),
}
"""What the room says when it changes its voice, and when it is at the end of its range."""

AMBIENCE: dict[str, str] = {
    "light-on": "I am asking for the light to go on.",
    "light-off": "I am asking for the light to go off.",
    "warmer": "I am asking for it to be warmer.",
    "cooler": "I am asking for it to be cooler.",
    "music-on": "I am asking for music.",
    "music-off": "I am asking for the music to stop.",
    "blinds-open": "I am asking for the blinds to open.",
    "blinds-close": "I am asking for the blinds to close.",
}
"""What the room says when it passes a wish to Home Assistant, which does not say whether anything follows."""
PRIVACY_ON = (
    "Microphone and camera are switched off for a while. To call somebody, touch the screen or the call button."
)
PRIVACY_OFF = "The time without microphone and camera is over."
IDENTIFIED = "Somebody is looking for this device. Nothing is wrong."
"""What the room says when it was asked from Home Assistant to show itself."""
ARE_YOU_ALL_RIGHT = "Are you all right? Please say: I am fine, or: help."
GLAD = "Good. If you need somebody, call me, or press the call button."
ALREADY_TOLD = (
    "Good. I had already told the staff that you may have fallen, and it is for them to close that. "
    "If you need somebody, call me, or press the call button."
)
"""To who says that they are fine once the fall is confirmed: nothing that they say takes it back any more."""
TELLING_OF_FALL = "I am telling the staff that you may have fallen. Press the call button too, if you can."
OFFER = "You can say: water, nurse, pain, help, or: I want to fill in my form."

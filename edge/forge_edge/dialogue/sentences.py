"""What the room says of itself, word by word. Nothing here promises more than is known."""

NO_HUB = "I cannot reach the staff from here right now. Please press the call button."
TELLING = "Thank you for telling me. I am letting the staff know. If you feel unsafe, press the call button."
ACCEPTED = "Help is coming. A member of the staff has taken your call."
"""The only promise that the room makes, and only when the hub says that a person has accepted an alert of this room."""
REOPENED = "I am asking the staff again. You can also press the call button."
"""Takes the promise back, when that person gave the alert back or did not come in time."""
WHO = "Is it the patient of this room who speaks? Please say yes or no."
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
}
OFFER = "You can say: water, nurse, pain, help, or: I want to fill in my form."

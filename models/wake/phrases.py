"""What the verifier's teachers say: the wake words, what sounds like them, and ordinary talk of a ward."""

from random import Random
from typing import Final

WORDS: Final = ("okay_nabu", "hey_jarvis", "hey_mycroft", "alexa")
"""The verifier's outputs, in this order: microWakeWord's built-in words."""

SPOKEN: Final[dict[str, tuple[str, ...]]] = {
    "okay_nabu": ("okay nabu", "okay naboo", "o k nabu", "okay, nabu"),
    "hey_jarvis": ("hey jarvis", "hey, jarvis", "hay jarvis"),
    "hey_mycroft": ("hey mycroft", "hey my croft", "hey, mycroft"),
    "alexa": ("alexa", "uh lexa", "alexa alexa"),
}
"""How each word is written for a speech engine, so that it says it as people do."""


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.replace("\n", " ").split(";"))


NEAR: Final[dict[str, tuple[str, ...]]] = {
    "okay_nabu": _phrases(
        """okay; nabu; okay now; okay nana; okay natalie; okay google; okay nobody; okay nah; okay maybe; okay new book;
        okay neighbour; okay no; okay nurse; okay boo; okay not you; okay then; okay boomer; naboo; taboo; bamboo;
        okay abu; okay zulu; okay nancy; okay move; okay dubai; kangaroo; okay thank you; okay never mind; okay knob;
        a new one; hey nabu; okay nathan; okay, a few; okay that will do"""
    ),
    "hey_jarvis": _phrases(
        """jarvis; jarvis; jarvis; jarvis; jarvis; jarvis, hello; this is jarvis; my name is jarvis; mister jarvis;
        hey travis; hey jervis; hey service; hey harvest; hey garvey; hey marvin; hey jasmine; hey charlie; hey jar;
        hey john; hey arvin; hey java; hey chavez; the service; hi travis; hey carver; hey pharmacist; hey darling;
        say service; they starve us; hey charles; hey there; hey jack; hey george; hey, dr davies; travis; harvest;
        hey you; hey joyce; hey jeremy; hey garbage; charge this"""
    ),
    "hey_mycroft": _phrases(
        """mycroft; my craft; hey microsoft; hey microphone; hey minecraft; hey my friend; hey michael; microwave;
        hey mike; hey my coffee; hey aircraft; hey my cough; hey croft; my cross; hey marcus; hey my gosh; microscope;
        hey my card; hey my loft; hey, my god; mycroft holmes; hey soft; mind the croft; hey mark; hey my clock; hey
        mum; may I cough; hey nightcroft; play my song"""
    ),
    "alexa": _phrases(
        """alexandra; alexander; alex; alexia; a lexus; lexus; election; electric; a taxi; elected; i let her;
        relax a bit; relaxer; my legs are sore; texas; alaska; elixir; a lecture; elsa; alessia; electra; eleven;
        lasagna; a letter; alas; let's say; unless a; a plexus; alicia; alexis; all exits; an extra; complex; elect her;
        a lens; annexe; a sofa; election day; next up; reflex; direct her; the lexicon; i like sir; lecturer;
        turn the lights on; the legs of; oh let us"""
    ),
}
"""What sounds like a word, or is a part of it, and must not wake the room."""

BARE: Final[dict[str, tuple[str, ...]]] = {
    "okay_nabu": ("nabu", "naboo", "nah boo", "okay", "okay now"),
    "hey_jarvis": ("jarvis", "jarvis", "jarvis", "jarvis jarvis", "travis", "service", "harvest"),
    "hey_mycroft": ("mycroft", "my croft", "my craft", "microsoft", "my cross"),
    "alexa": ("lexa", "lexus", "legs are", "lexer", "alex", "a lexus"),
}
"""Words without their first syllable or their second half, and what sounds like that."""

TALK: Final = _phrases(
    """could i have a glass of water please; i am thirsty; what time is it; turn the lights on; turn the television off;
    where is my daughter; my chest hurts; can you open the window; the doctor said tomorrow; good morning; how are you
    today; i slept on the sofa; i would like some tea; the nurse is coming in a minute; not at all; several days; more
    than half the days; nearly every day; it is raining outside; read me the news; they moved me to another room; my
    wife is coming at three; i lost my glasses; is it lunch time already; thank you very much; the food here is
    terrible; who is at the door; hey, come over here; hey, what was that; okay, let me think about it; okay, i will;
    activate the mood lighting; close the kitchen windows; cancel all timers; set the bedroom light to green; is the
    front door locked; create a timer for five minutes; what is the temperature outside; play some music; computer;
    he was a good man; let us watch the match; and now the weather for the weekend; here is the news at six o'clock;
    prices rose again last month; the minister answered questions; she sells houses in wales; a lot of people were
    there; my back is sore; i need the toilet; call my son; how long will this take; next week maybe; i used to play
    football"""
)
"""Whole sentences without a wake word."""

VOCABULARY: Final = tuple(
    """a able about above act add afternoon again air all almost along also always amount and animal another answer any
    apple area arm around as ask at away baby back ball bank base be bear beat bed before begin behind believe best
    better between big bird black blue boat body book both box boy bread break bring brother brown build busy but buy
    call came can car care carry cat centre chair change check child choose city class clean clear close cloud coat
    cold come common cook cost count country course cover cross cry cup cut dance dark day deep did different dinner do
    doctor dog door down draw dress drink drive dry each ear early earth east eat effect egg eight else end enough
    even evening ever every example eye face fact fall family far farm fast father feel feet few field fight fill find
    fine fire first fish five floor fly follow food foot for form four free friend from front full game garden gave get
    girl give glass go gold good great green ground group grow had hair half hand happen happy hard has hat have he
    head hear heart heat help her here high him his hold home horse hospital hot hour house how hundred idea if in
    inch interest is island it job join jump just keep kept key kind king kitchen knew know lady lake land language
    large last late laugh law lay lead learn leave left leg length less let letter life light like line list listen
    little live long look lot love low machine made main make man many map mark matter may me mean measure medicine
    meet men might mile milk mind minute miss money month moon more morning most mother mountain move much music must
    my name near need never new next night nine no north nose note nothing notice now number object of off often oil
    old on once one only open or orange order other our out over own page pain paint paper part pass pattern people
    person picture piece place plan plant play please point power press problem pull push put question quick quiet rain
    ran read ready real reason red remember rest right river road rock room round rule run said sail same sat saw say
    school science sea season second see seem sentence serve set seven shall shape she ship short should show shut side
    sign simple since sing sister sit six size skin sky sleep slow small snow so soft some son song soon sound south
    space speak spell spring stand star start state stay step still stood stop story street strong study such sugar
    summer sun sure surface sweet swim table tail take talk teach team tell ten test than that the them then there
    these they thing think this thought three through time tire to today together told too took top town tree true try
    turn two under unit until up us use very village visit voice vowel wait walk wall want war warm was wash watch water
    way we week weight well went were west what wheel when where which while white who whole why wide wife will wind
    winter wish with woman wonder wood word work world would write year yellow yes yet you young your""".split()
)
"""Common words, strung together at random, so that talk has every sound of the language."""


def babble(random: Random) -> str:
    """Return three to eight words at random."""
    return " ".join(random.choices(VOCABULARY, k=random.randint(3, 8)))

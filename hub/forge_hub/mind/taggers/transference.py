"""Which theme of transference an utterance may bring: only where the therapist is spoken to."""

from collections.abc import Mapping
from typing import Final

from forge_hub.mind.taggers.hints import HintTagger
from forge_language.taxonomy import TransferenceId

CONFIDENCE: Final = 0.2
"""Of every hint. Ours: a theme is a clinician's to name, and "you" may be anybody."""

ADDRESSED: Final = (
    r"\b(?:you(?:'re|'ve|'ll|'d|r|rs|rself)?|our (?:sessions?|time)|these sessions|coming here|here|therap\w+|today|"
    r"we|tell me|this)\b"
)
"""Words by which a therapist is spoken to, or the hour with them."""

_PARENT = r"(?:mother|father|mum|mom|dad|parents?|grandmother|grandfather|gran|grandma)"
_GOOD = r"(?:wise|kind|perfect|amazing|wonderful|brilliant|clever|patient|good at this)"

CUES: Final[Mapping[TransferenceId, tuple[str, ...]]] = {
    "idealising": (
        (
            r"you(?:'re| are) <so>(?:the (?:only|best|first) (?:one|person|therapist|doctor|psychologist|nurse)|so "
            + _GOOD
            + r"|"
            + _GOOD
            + r")"
        ),
        (
            r"(?:nobody|no one) (?:else )?(?:understands|has ever understood|ever understood|gets|listens to|has "
            r"ever listened to) me (?:like|as|the way) you"
        ),
        r"you <so>know exactly (?:what|how)",
        r"you(?:'ve| have)? (?:saved|changed) my life",
        r"i(?:'ve| have)? never met (?:anyone|anybody|a therapist|somebody) (?:like|as \w+ as) you",
    ),
    "mirroring": (
        r"(?:aren'?t|are) you <so>(?:proud of|impressed (?:by|with)|pleased with) me",
        (
            r"i (?:want|wanted|hope|hoped|thought|need) <few>(?:you to be|you'?d be|you would be|you'?re|you are|"
            r"you will be|you'?ll be) <so>(?:proud|impressed|pleased)"
        ),
        r"(?:did|do) you (?:see|notice) how (?:well|good|hard|brave) i",
        r"tell me (?:i'?m|i am|that i'?m|that i am|i did) <so>(?:good|well|special|right|doing well|clever|brave)",
        (
            r"i(?:'m| am) (?:probably |surely |bound to be )?your (?:best|favourite|favorite|most interesting) "
            r"(?:patient|client)"
        ),
    ),
    "erotic": (
        (
            r"i(?:'m| am| think i'?m| think i am|'ve fallen| have fallen)? <so>(?:in love with|attracted to|falling "
            r"for) you"
        ),
        (
            r"i <so>(?:dreamt|dreamed|fantasi[sz]e|think|dream|fantasi[sz]ed) (?:about|of) (?:kissing|us together|"
            r"touching you|you and me|you at night|kissing you|being with you)"
        ),
        (
            r"i (?:wish|want|wanted) (?:we could|us to|you to) <few>(?:be together|be a couple|go on a date|kiss|"
            r"hold me|go out together|have dinner)"
        ),
        r"you look <so>(?:beautiful|gorgeous|sexy|handsome|attractive)",
    ),
    "hostile": (
        (
            r"you(?:'re| are) <so>(?:no |absolutely |as )*(?:useless|not (?:even )?listening|no help|help at all|a "
            r"fraud|like all the others|bad as the others|incompetent|paid to|heartless|judging me|against me|"
            r"laughing at me)"
        ),
        (
            r"you (?:don'?t|never|do not) <few>(?:care|listen|help|understand|give a damn)(?: about me| to me| me| "
            r"anything)?"
        ),
        (
            r"(?:this|talking to you|coming here|these sessions|therapy|seeing you) (?:is|are|has been) <so>(?:a "
            r")?(?:complete |total )?waste of (?:my )?time"
        ),
        r"what do you know about",
        (
            r"you(?:'re| are) only (?:here|in it|doing this) for the money|you only (?:care about|do this for|want) "
            r"(?:the |my )?money"
        ),
        (
            r"i (?:hate|can'?t stand|am sick of|'m sick of) (?:you|coming here|these sessions|your (?:questions|"
            r"face|voice))"
        ),
    ),
    "dependent": (
        (
            r"i (?:can'?t|cannot|couldn'?t|don'?t know how to|could never) <few>(?:manage|cope|decide|do|get "
            r"through|live|survive)(?: it| this| anything| the week| a week| a day)? <few>without (?:you|our "
            r"sessions|these sessions|seeing you)"
        ),
        (
            r"(?:what|how) (?:am i|will i|shall i|would i|do i) <few>(?:do|manage|cope|get through|survive) "
            r"<few>(?:when you(?:'re| are)|without you|while you(?:'re| are)|until i see you)"
        ),
        r"(?:please |just |you have to |you must )+tell me what (?:to do|i should do|i have to do)",
        r"you (?:have to|must|need to) (?:decide|choose) (?:for me|this)",
        r"i need (?:you (?:to|every|more)|to see you (?:every|more))",
        r"(?:please )?don'?t (?:go on holiday|go away|take (?:a|your) (?:holiday|break))",
        (
            r"(?:can|could|can'?t) (?:i|we) (?:see you|meet|come|have a session|see each other) <few>(?:every day|"
            r"more often|twice|daily)"
        ),
    ),
    "parental": (
        (
            r"you(?:'re| are|'ve been| remind me| sound| seem| look| talk)? <so>(?:exactly |so much |a bit |more |a "
            r"lot )*(?:like|of) <few>(?:a |the |my |another )+" + _PARENT
        ),
        r"i wish you (?:were|was|had been|could be) my " + _PARENT,
        r"(?:are|were) you <so>(?:cross|angry|disappointed|mad) with me",
        r"(?:please )?don'?t be <so>(?:cross|angry|mad|disappointed) with me",
        r"you(?:'re| are) telling me off",
        r"i(?:'ve| have)? been (?:good|naughty|bad) (?:this week|since|aren'?t you)",
    ),
    "avoidant": (
        r"i(?:'d| would) (?:really )?rather (?:not|you didn'?t) (?:talk|go into|say|discuss|tell|ask)",
        (
            r"(?:can|could) we <few>(?:talk about something else|change the subject|move on|skip|stop here|leave "
            r"(?:that|it)|finish early|stop early)"
        ),
        r"(?:there'?s|there is|i have|i'?ve got) (?:really )?nothing (?:much )?to (?:talk about|say|tell you|discuss)",
        r"i (?:nearly|almost) (?:didn'?t come|cancelled|canceled|did not come|stayed away)",
        (
            r"i (?:don'?t|do not) (?:see|know) (?:why|what) (?:i'?m here|i am here|i come here|there is to talk|"
            r"i'?m supposed to say here)"
        ),
        r"that(?:'s| is) none of your business",
        r"let'?s (?:not talk about|talk about something else|change the subject|leave (?:that|it))",
        (
            r"i (?:don'?t|do not) want to (?:talk|speak) (?:to you |about (?:it|that|this) )?(?:with you|here|to "
            r"you|today)"
        ),
    ),
    "testing_limits": (
        (
            r"(?:can|could|may) i (?:call|ring|text|have|see|visit|phone|follow) (?:you|your) <any>(?:at home|"
            r"private|number|outside|after hours|at night|at the weekend|address|on facebook|for (?:a )?coffee|any "
            r"time)"
        ),
        (
            r"(?:can|could|can'?t|couldn'?t) (?:we|you) <few>(?:stay|run over|go over|carry on|go on|extend|give "
            r"me) <few>(?:longer|another (?:ten|half|five|twenty|hour|quarter)|a bit more|past the hour|your "
            r"(?:private )?(?:phone )?number)"
        ),
        (
            r"(?:what (?:happens|would happen|would you do|will you do)|would you (?:throw me out|mind|still see "
            r"me)) if i <few>(?:don'?t|didn'?t|stop\w*|came|come|walked|just|refuse\w*|turned up|never|left)"
        ),
        r"you can'?t (?:make|stop|force) me",
        r"make an exception",
        r"are you (?:even )?allowed to",
        (
            r"how (?:old are you|much do (?:you|they) (?:earn|pay you))|do you have (?:kids|children|a wife|a "
            r"husband|a boyfriend|a girlfriend)|are you married"
        ),
    ),
}
"""Signs by theme, in our own words. Source of the themes: Gabbard (2017)."""


class TransferenceTagger(HintTagger):
    """Hints at themes of transference. Not validated; a clinician sets them."""

    def __init__(self) -> None:
        super().__init__("transference", CUES, confidence=CONFIDENCE, reads_questions=True, only_where=ADDRESSED)

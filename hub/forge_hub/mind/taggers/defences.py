"""Which defence an utterance may show. Defences are seen over time by trained raters: these are reasons to ask."""

from collections.abc import Mapping
from typing import Final

from forge_hub.mind.taggers.hints import HintTagger
from forge_language.taxonomy import DefenceId

CONFIDENCE: Final = 0.2
"""Of every hint. Ours: below that of the other frameworks, since one sentence hardly ever shows what it serves."""

CUES: Final[Mapping[DefenceId, tuple[str, ...]]] = {
    "affiliation": (
        (
            r"i (?:called|rang|phoned|turned to|went to|talked to|asked|rely on) (?:a friend|my friend|my friends|"
            r"my \w+|someone|the group|friends) <any>(?:for (?:help|support|advice)|about it|and (?:we|it helped|"
            r"felt better)|when it gets)"
        ),
        (
            r"(?:talking|sharing it|sharing this) <few>with (?:my \w+|others|friends|the group) <few>(?:helps?|"
            r"helped|made it|makes it)"
        ),
    ),
    "altruism": (
        (
            r"(?:helping|being there for|caring for|volunteering for|looking after) <few>(?:others|people|patients|"
            r"strangers|those) <any>(?:helps me|makes me feel|gives me|keeps me going|gets me through)"
        ),
        r"i (?:help|support|visit) others who <any>(?:same|what i)",
    ),
    "anticipation": (
        (
            r"i(?:'ve| have|'m| am)? (?:already |been )?(?:planned|prepared|thought through|rehearsed|planning|"
            r"preparing|rehearsing) <any>(?:how i(?:'ll| will| would)|what i(?:'ll| will| would)|for (?:when|the "
            r"bad days|how|the day))"
        ),
        r"i(?:'m| am| feel) (?:ready|prepared) for (?:when|how|the (?:bad|hard|difficult))",
    ),
    "humour": (
        (
            r"(?:i|we|you) (?:have to|had to|just|can only|could only|can) <few>laugh (?:about|at) (?:it|myself|"
            r"ourselves|the whole)"
        ),
        (
            r"i <so>(?:make|made|crack|cracked|joke|joked) <few>(?:jokes? )?about (?:it|my|myself|the whole thing|"
            r"dying|cancer)"
        ),
        r"(?:if i|if you) (?:don'?t|didn'?t) laugh (?:i'?d|you'?d) cry",
    ),
    "self_assertion": (
        (
            r"i (?:told|said to|let) (?:him|her|them|my \w+) <few>(?:calmly |clearly |straight |directly |honestly |"
            r"know |that )+<few>(?:i (?:need|want|feel|felt|needed|wanted|don'?t want|was hurt)|what i|how i)"
        ),
        r"i said (?:calmly|clearly|directly|honestly|openly) (?:what|how|that) i",
    ),
    "self_observation": (
        (
            r"i(?:'ve| have)? (?:started to |begun to |can |now |just )*(?:notice|noticed|realise|realised|realize|"
            r"realized|see|recognise|recognised) (?:now )?(?:that |how )?(?:i|whenever i|when i|each time i) "
            r"<any>(?:because|when|whenever|always|tend|every time|same thing|get)"
        ),
        r"looking at myself i|i catch myself <few>(?:doing|being|getting|thinking)",
    ),
    "sublimation": (
        (
            r"(?:put|pour|poured|turn|turned|channel|channelled|channeled|worked|work|get|got|let|run|ran|paint|"
            r"painted|write|wrote) <any>(?:anger|rage|grief|pain|sadness|frustration|it all|feelings) <few>(?:into|"
            r"out on|out by|out in|off by|out) <few>(?:music|paint\w*|garden\w*|running|sport|writing|work|gym|"
            r"box\w*|art|piano|wood|poems?|songs?|clay|drums|guitar|the page|canvas)"
        ),
    ),
    "suppression": (
        (
            r"i(?:'ll| will|'ve|'m going to| am going to| have| decided to| chose to| can)? <few>(?:put|set|park|"
            r"leave|left|not to think about|stop thinking about|worry about|deal with|think about) (?:it|that|this) "
            r"<few>(?:aside|to one side|for now|until|tomorrow|later|on hold|out of my mind|when i(?:'m| am) ready)"
        ),
    ),
    "isolation_of_affect": (
        (
            r"i (?:don'?t|didn'?t|do not|did not|couldn'?t|can'?t) (?:really )?feel (?:anything|a thing|sad|upset|"
            r"angry|any of it)(?: about| when| at|(?! in my| with my))"
        ),
        r"i (?:felt|feel) (?:absolutely )?nothing (?:when|at|about|as)",
        (
            r"i can (?:talk|tell you) <few>about (?:it|that|her death|his death) (?:as if|without (?:any "
            r")?(?:feeling|emotion))"
        ),
    ),
    "intellectualisation": (
        (
            r"(?:statistically|objectively|rationally|technically|logically) (?:speaking )?<few>(?:my|i|this|it|the|"
            r"grief|loss|that|one|people)"
        ),
        (
            r"from (?:a|an|the) (?:medical|psychological|scientific|philosophical|evolutionary|statistical) "
            r"(?:point of view|perspective|standpoint)"
        ),
        r"according to (?:the literature|studies|the research|attachment theory|freud|the stages)",
    ),
    "undoing": (
        r"i (?:made|make|try to make|tried to make) (?:it )?up (?:for it|to <them>) (?:by|with|afterwards)",
        (
            r"i (?:hate|could kill|can'?t stand) (?:him|her|them|my \w+) <any>but (?:of course |really )?i (?:love|"
            r"adore|like)"
        ),
        r"i take that back",
        r"i bought (?:him|her|them) <any>(?:to make up|afterwards|because i(?:'d| had) (?:been|shouted))",
    ),
    "repression": (
        (
            r"i (?:can'?t|cannot|don'?t|do not) remember (?:anything|a thing|much|a single thing) (?:about|from|of) "
            r"(?:my childhood|that (?:time|year|night|day)|those years|the (?:accident|funeral|divorce|fire)|"
            r"growing up)"
        ),
        (
            r"(?:my childhood|that (?:time|year|night)|those years|it all|the whole \w+)(?:'s| is| was| are)? "
            r"(?:just )?(?:a )?(?:complete |total )?blank"
        ),
    ),
    "dissociation": (
        (
            r"(?:as if|like|as though) (?:i was|i were|i am|i'?m|it was|it were|it is) <few>(?:watching myself|"
            r"outside (?:my|of my)|not (?:really )?(?:there|real|me|in my body)|in a dream|happening to someone "
            r"else|unreal|floating above)"
        ),
        (
            r"i (?:went|go|was|left|leave) <few>(?:somewhere else in my head|away in my head|outside my body|out of "
            r"my body|my body)"
        ),
        r"nothing (?:feels|felt|seems|seemed) real",
    ),
    "reaction_formation": (
        (
            r"i(?:'m| am| was) <so>(?:extra |especially |particularly )*(?:nice|kind|polite|friendly|sweet) to "
            r"(?:him|her|them|people|the \w+|my \w+) <any>(?:hate|can'?t stand|hurt|angry|dislike|despise|resent)"
        ),
        (
            r"i (?:hate|can'?t stand|despise|resent) (?:him|her|them|my \w+) <any>(?:so i'?m|so i am|but i'?m|but i "
            r"am|and i'?m) <so>(?:extra |especially |particularly )*(?:nice|kind|polite|friendly|sweet)"
        ),
    ),
    "displacement": (
        (
            r"(?:take|took|taking|let|letting) (?:it|my \w+|everything|that) (?:all )?out on (?!the)(?:him|her|them|"
            r"my \w+|others|everyone)"
        ),
        (
            r"(?:take|took|taking|let|letting) (?:it|my \w+|everything|that) (?:all )?out on the (?:dog|kids|"
            r"children|nurses?|cat|staff|family)"
        ),
        (
            r"i (?:shouted|shout|yelled|snapped|yell|snap|kicked) (?:at )?(?:the (?:dog|kids|children|nurses?|cat)|"
            r"my (?:wife|husband|kids|children|son|daughter|sister|brother|dog)) <any>(?:because of|instead of|"
            r"though it was|but it was|really angry (?:with|at)) <few>(?:my|the|work|him|her)"
        ),
    ),
    "devaluation_of_self": (
        (
            r"i(?:'m| am) <so>(?:a |an )?(?:so |complete |total |utter )?(?:stupid|worthless|useless|pathetic|idiot|"
            r"nobody|waste of (?:space|time)|good for nothing|joke)"
        ),
    ),
    "devaluation_of_object": (
        (
            r"(?:he|she|they|the (?:doctor|doctors|nurse|nurses|staff|others|therapist|hospital|whole \w+)|these "
            r"people|those people|my (?:boss|ex|husband|wife|brother|sister|\w+))(?:'s| is| are|'re) <so>(?:a |an |"
            r"bunch of |complete |total |utter |utterly |bloody )*(?:useless|idiots?|incompetent|stupid|pathetic|"
            r"morons?|clueless|worthless|amateurs?|fools?)"
        ),
    ),
    "idealisation_of_self": (
        (
            r"<am> <so>(?:the (?:best|greatest|most (?:gifted|talented|intelligent|brilliant))|brilliant at "
            r"everything|a genius|exceptional|far above average)"
        ),
        r"(?:nobody|no one) <few>(?:does|do|did|can do) it (?:better than|as well as) (?:me|i do)",
    ),
    "idealisation_of_object": (
        (
            r"(?:he|she|they|my \w+|the (?:doctor|therapist|nurse|professor|consultant|new \w+))(?:'s| is| are|'re| "
            r"was) <so>(?:absolutely |completely |utterly )*(?:perfect(?: in every way)?|a saint|an angel|a genius|"
            r"flawless|without (?:a )?fault|the (?:best|most wonderful|kindest|greatest|cleverest|wisest) "
            r"<few>(?:in the world|ever|on earth|alive|there is))"
        ),
    ),
    "omnipotence": (
        r"i can <so>(?:do|handle|beat|fix|achieve|control|cure) (?:absolutely )?(?:anything|everything|it all)",
        r"nothing (?:can|could|will) (?:touch|hurt|stop|harm|beat) me",
        r"i(?:'m| am) <so>(?:invincible|untouchable|indestructible|unbeatable)",
    ),
    "denial": (
        r"there(?:'s| is) (?:absolutely )?nothing wrong with me",
        r"i (?:don'?t|do not) have (?:a|any) (?:drinking |drug |gambling )?problem",
        r"i(?:'m| am) not (?:ill|sick|an alcoholic|addicted|an addict)",
        r"it (?:can'?t|cannot|simply can'?t|just can'?t) be (?:true|happening|real)",
        (
            r"the (?:test|tests|results?|doctors?|scan) (?:is|are|was|were|must be|must have been|have to be) "
            r"(?:wrong|mistaken|mixed up|somebody else'?s|someone else'?s)"
        ),
    ),
    "rationalisation": (
        r"it(?:'s| is| was) (?:probably |just |really )*(?:for the best|better this way|not worth it) anyway",
        r"i (?:didn'?t|never) (?:really )?want(?:ed)? (?:it|to|that|the job|him|her|the place|to go|to win)? ?anyway",
        (
            r"(?:anyone|anybody|everyone) (?:would have|would've|would|does|in my place) <few>(?:done|drunk|hit|"
            r"left|do|drinks?|the same|it)"
        ),
        r"i only (?:did|do|drink|drank|hit|said|smoke) (?:it |that )?(?:because|to)",
    ),
    "projection": (
        (
            r"(?:he|she|they|you|everyone)(?:'s| is| are|'re) the (?:one|ones) (?:who|that)(?:'s| is| are|'re)? "
            r"(?:really )?(?:angry|jealous|lying|the problem|hostile|crazy|sick|aggressive|hates?)"
        ),
        r"it(?:'s| is) not me (?:who|that|it'?s)",
        (
            r"(?:they|the others|the nurses|everyone|they all)(?:'re| are| is) (?:all )?(?:against me|jealous of me|"
            r"plotting|after me|out to get me|hostile to me)"
        ),
    ),
    "autistic_fantasy": (
        (
            r"i <so>(?:dream|daydream|fantasi[sz]e|escape|live|imagine|lose myself|disappear|retreat) <any>(?:all "
            r"day|for hours|instead of|in my (?:own )?(?:head|world|daydreams|fantas\w+)|into my (?:own )?(?:head|"
            r"world|daydreams|fantas\w+)|a world of my own)"
        ),
    ),
    "splitting_of_self": (
        (
            r"(?:sometimes |one (?:day|minute|moment) |some days )i(?:'m| am) <any>(?:wonderful|great|amazing|"
            r"brilliant|good|the best|a good person|perfect) <any>(?:next|then|other times|other days|the next) "
            r"<any>(?:evil|rubbish|worthless|terrible|the worst|nothing|bad|a monster|a bad person)"
        ),
        r"there(?:'s| is) (?:a|the) good me and (?:a|the) bad me",
    ),
    "splitting_of_object": (
        (
            r"(?:you'?re|you are|they'?re|they are|people are|he'?s|he is|she'?s|she is|everyone is|nurses are|"
            r"doctors are) either <any>(?:for me or against|with me or against|good or|angels? or|all good or|"
            r"friends? or|black or)"
        ),
        (
            r"(?:he|she|they|my \w+) (?:was|were|used to be|seemed) <few>(?:perfect|wonderful|an angel|a saint|the "
            r"best) <any>now <any>(?:hate|evil|monster|devil|the worst|dead to me|rubbish|nothing)"
        ),
    ),
    "projective_identification": (
        (
            r"(?:he|she|they|my \w+) (?:make|makes|made|force|forces|turn|turns|turned) me (?:into |be |act |behave "
            r"|become )+<any>(?:monster|angry|bad|just like (?:him|her|them)|nasty|cruel)"
        ),
    ),
    "acting_out": (
        (
            r"i (?:was|got|felt|am|get|'m) so (?:angry|upset|hurt|furious|mad|desperate) (?:that )?i "
            r"<few>(?:smashed|threw|punched|broke|hit|stormed|walked out|got drunk|drank|slammed|drove|ran off|"
            r"smash|throw|punch|break|hit|drink)"
        ),
        r"i (?:just )?(?:smashed|punched|threw|kicked in|trashed) (?:a|the|my|everything|his|her|plates|things)",
    ),
    "passive_aggression": (
        r"i <so>(?:gave|give|giving) (?:him|her|them|my \w+) the silent treatment",
        (
            r"i <few>(?:deliberately|purposely|on purpose) <few>(?:forgot|came|was|am|ignored|left|did|burnt|lost|"
            r"late|forget|took|take)"
        ),
        r"i <any>(?:late|slow|slowly|badly|forgot it|ignored (?:him|her|them)) on purpose",
        r"i (?:said|say) yes (?:but|and) (?:then )?<few>(?:didn'?t|never|don'?t|forgot)",
    ),
    "help_rejecting_complaining": (
        (
            r"i(?:'ve| have)? (?:already )?tried (?:that|everything|it all|all that|all of that)(?: and)? "
            r"<any>(?:nothing|doesn'?t|didn'?t|no good|never|no use|no difference)"
        ),
        (
            r"(?:nothing|no one|nobody|none of (?:it|you|this|them)) <few>(?:can|will|ever|has ever) <few>(?:helps?|"
            r"helped|works?|worked)"
        ),
        r"yes,? but (?:that|it|they) (?:won'?t|doesn'?t|never|wouldn'?t|didn'?t|can'?t)",
        r"(?:there'?s|there is) no point (?:in )?(?:you |your )?(?:trying|suggesting|helping)",
    ),
}
"""Signs by defence, in our own words; no item of the DMRS-Q is used."""


class DefenceTagger(HintTagger):
    """Hints at defences. Not validated."""

    def __init__(self) -> None:
        super().__init__("defence", CUES, confidence=CONFIDENCE)

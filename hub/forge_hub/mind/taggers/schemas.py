"""Which early maladaptive schema an utterance may show: by the belief it states, not by the thinking pattern."""

from collections.abc import Mapping
from typing import Final

from forge_hub.mind.taggers.hints import HintTagger
from forge_language.taxonomy import SchemaId

CUES: Final[Mapping[SchemaId, tuple[str, ...]]] = {
    "abandonment_instability": (
        (
            r"(?:everyone|everybody|people|anyone|whoever|they all|all the people) <any>(?:leaves?|leave|abandons?|"
            r"abandon|walks? out on|disappears? on|will leave|goes away from) (?:me|in the end|eventually|sooner or "
            r"later|one day)"
        ),
        r"(?:nobody|no one|no-one) <few>stays?(?: with me| for long| in my life)?",
        (
            r"(?:everyone|everybody|people) i (?:love|loved|care about|get close to|need) <any>(?:leaves?|goes|go|"
            r"left|gone|dies|die|disappears?)"
        ),
        r"sooner or later <any>(?:leave|leaves|abandon|abandons|go|gone)",
    ),
    "mistrust_abuse": (
        (
            r"(?:people|everyone|everybody|men|women|others) <few>(?:will |'ll |only |just |always |want to |are "
            r"out to |are only out to |end up )+<few>(?:hurt|hurting|use|using|take advantage|taking advantage|lie|"
            r"lying|betray|betraying|cheat|stab|deceive|manipulate|exploit|get)(?: of)?(?: you| me)?"
        ),
        (
            r"if you (?:let|trust|show|open|give) <any>(?:they|people|someone)(?:'ll| will)? <few>(?:hurt|use|take "
            r"advantage|stab|betray|exploit)"
        ),
        r"(?:watch (?:your|my) back|keep my guard up|let my guard down) ?",
        r"(?:nobody|no one|no-one) <few>(?:can be|to be) trusted",
        r"i (?:<cannot>|<dont>) <few>(?:trust|put my trust in) (?:anyone|anybody|people|nobody|others)",
        r"(?:nobody|no one|no-one) (?:that |whom |who )?i can trust",
    ),
    "emotional_deprivation": (
        (
            r"(?:nobody|no one|no-one) <few>(?:cared?|cares|listened|listens|understood|understands|loved|loves|"
            r"held|hugs?|comforted) <few>(?:for me|to me|about me|me|how i)"
        ),
        (
            r"(?:nobody|no one|no-one) (?:is|was|has been|will be|has ever been|was ever|is ever) <few>(?:there for "
            r"me|interested in how i)"
        ),
        (
            r"i(?:'ve| have)? never <few>(?:had|felt|been|got|known) <few>(?:anyone who (?:cared|listened|"
            r"understood)|really loved|cared for|looked after|understood|held|warmth|any warmth)"
        ),
        (
            r"there(?:'s| is| was|'s never been| has never been) (?:never )?(?:nobody|no one|anyone|anybody) "
            r"<few>(?:for me|who (?:cares|understands|listens|cared))"
        ),
    ),
    "defectiveness_shame": (
        (
            r"(?<!found )(?<!is there )(?:something|there'?s something|there is something) (?:is |must be "
            r")?<so>(?:deeply |fundamentally |badly |seriously )?wrong with me(?: as a person| deep down| inside)?"
        ),
        (
            r"<am> <so>(?:deeply |fundamentally |basically )?(?:unlovable|defective|damaged goods|flawed|rotten|"
            r"worthless|bad inside|broken inside|not worth loving|a mistake|unworthy|disgusting as a person)"
        ),
        (
            r"(?:if|once|when) (?:they|people|anyone|he|she|others|everyone) <few>(?:knew|saw|know|see|knows|sees|"
            r"finds? out) <few>(?:the real me|who i (?:really )?am|what i(?:'m| am) (?:really )?like|me as i)"
        ),
        r"i <so>(?:hate|despise|loathe) (?:myself|who i am)",
        r"(?:nobody|no one|no-one|who) <few>(?:could|can|would|will) <few>love <few>(?:me|like me)",
    ),
    "social_isolation_alienation": (
        (
            r"i(?:'ve| have)? (?:never|don'?t|do not|didn'?t) <few>(?:fit|fitted|belong|belonged) <few>(?:in|"
            r"anywhere|with|here|there)?"
        ),
        r"<am> <so>different from (?:everyone|other people|everybody|the others|all the others|the rest|others)",
        r"<am> <so>(?:an |the )?(?:outsider|odd one out|outcast|alien|misfit)",
        r"<am> <so>(?:on the outside|from another planet)",
        r"i belong nowhere",
    ),
    "dependence_incompetence": (
        (
            r"i <cannot> <few>(?:manage|cope|survive|function|look after myself|take care of myself|get by|run my "
            r"life)(?: life| anything| with life| in life)? (?:on my own|alone|by myself|without (?:someone|"
            r"somebody|him|her|them|my \w+|help))"
        ),
        (
            r"i <cannot> <few>(?:decide (?:anything|a thing)|make (?:a single|any|the smallest|even small|my own) "
            r"(?:decisions?|choices?))"
        ),
        r"i need (?:someone|somebody|him|her|my \w+) to (?:tell me what|decide|do everything|run my)",
        r"without (?:him|her|them|my \w+|someone) i(?:'m| am|'d be| would be) (?:lost|helpless)",
    ),
    "vulnerability_to_harm_illness": (
        (
            r"something <so>(?:terrible|bad|awful|dreadful|horrible) (?:is|will|could|might|'s|'ll|has to|must) "
            r"<any>happen"
        ),
        (
            r"any (?:moment|minute|day|time)(?: now)? <any>(?:disaster|die|collapse|heart attack|lose everything|"
            r"catastrophe|crash)"
        ),
        r"(?:disaster|catastrophe) (?:is|could be|may be|might be) <few>(?:around|strike|coming|about|waiting)",
        r"the world is <so>(?:dangerous|a dangerous|not safe|not a safe|unsafe|full of danger)",
        (
            r"every (?:ache|pain|twinge|symptom|cough|headache) <few>(?:must be|means|is|has to be|could be) "
            r"<any>(?:cancer|heart|tumou?r|serious|dying|fatal|the end)"
        ),
        r"<am> <so>never safe|nowhere is safe",
    ),
    "enmeshment_undeveloped_self": (
        (
            r"(?:i|we) (?:<cannot>) <few>(?:live|exist|breathe|be) without (?:my )?(?:mother|mum|mom|father|dad|"
            r"parents|him|her|each other|them|sister|brother|twin)"
        ),
        r"where (?:she|he|my \w+) ends and i begin",
        (
            r"(?:we are|we're|my (?:mother|mum|mom|father|dad|sister|brother) and i are) <so>(?:like )?(?:one "
            r"person|the same person|one soul)"
        ),
        (
            r"(?:without|apart from|away from) (?:her|him|them|my \w+) i(?:'m| am|'d be| would be) <so>(?:nothing|"
            r"nobody|no one|empty|not a person)"
        ),
        r"i (?:have|'ve got|'ve) no (?:life|self|personality|opinions?|identity) of my own",
    ),
    "failure": (
        r"<am> <so>(?:a |an |such a )?<few>(?:failure|loser)",
        (
            r"i(?:'ve| have)? (?:always |just )?(?:failed|fail) (?:at )?(?:everything|in life|at life|whatever i|"
            r"all my life|in everything)"
        ),
        (
            r"i(?:'ll| will) never <few>(?:amount to|achieve|succeed|get anywhere|make anything of|be as successful|"
            r"make it in)"
        ),
        (
            r"<am> <so>(?:less|not as) (?:successful|clever|capable|talented|able|intelligent) (?:than|as) "
            r"<any>(?:everyone|others|my|peers|people|colleagues|friends)"
        ),
        (
            r"(?:everyone|everybody) <few>my age (?:has|is|have|are) <any>(?:further|more|better|successful|ahead|"
            r"career|house)"
        ),
    ),
    "entitlement_grandiosity": (
        (
            r"(?:the |those |such |these )?rules <few>(?:are for (?:others|other people|everyone else|ordinary)|"
            r"don'?t apply to me|do not apply to me|aren'?t (?:for|meant for) me|are not (?:for|meant for) me)"
        ),
        (
            r"i (?:shouldn'?t|should not|don'?t|do not) (?:have to|need to) (?:wait|queue|follow|obey|explain "
            r"myself) <any>(?:like|as) (?:everyone|everybody|other|them|ordinary)"
        ),
        (
            r"<am> <so>(?:special|better than|above|superior to|more important than|worth more than) <few>(?:others|"
            r"other people|them|these people|everyone|everybody|the rest|the others|most people)"
        ),
        (
            r"i (?:deserve|expect|am entitled to|should get) <few>(?:special treatment|better than|more than "
            r"(?:others|them|everyone)|to come first|to be treated (?:better|differently))"
        ),
    ),
    "insufficient_self_control": (
        (
            r"i <cannot> <few>(?:control|restrain|stop) (?:myself|my (?:temper|impulses|urges|spending|drinking|"
            r"eating|anger))"
        ),
        r"i <cannot> <few>(?:stick to|stick at|see) (?:anything|a plan|one thing|things)(?: through)?",
        (
            r"i (?:always )?(?:give|gave) up (?:as soon as|the moment|at the first|when (?:it|things) (?:gets?|is|"
            r"are)|the minute)"
        ),
        (
            r"i <so>(?:do|say|buy|eat|drink|take) (?:the first thing|whatever) <any>(?:comes|come|want|feel like|"
            r"into my (?:head|mind))"
        ),
        r"i have no (?:discipline|self[- ]control|willpower|self[- ]discipline)",
        r"if i want something i (?:have to have|must have|need) it (?:now|at once|right away|immediately)",
    ),
    "subjugation": (
        (
            r"i (?:always |have to |must |just |end up |only )+(?:give in|giving in|go along|going along|do (?:what|"
            r"as|whatever) <few>(?:he|she|they|others|everyone|want|wants|says?|tells?))"
        ),
        (
            r"if i (?:say|said|ever say|dare to say|disagree|speak) <any>(?:no|disagree|up)? ?<any>(?:gets? angry|"
            r"angry|leave me|furious|shouts?|punish\w*|hits?|mad at me|explodes?|hell)"
        ),
        (
            r"(?:my (?:wishes|needs|opinion|opinions|feelings)|what i (?:want|need|feel|think)) <few>(?:doesn'?t|"
            r"don'?t|never|does not|do not) <few>(?:count|counts|matter|matters)"
        ),
        r"i <dont> <few>dare <few>(?:disagree|contradict|say no|object|refuse)",
        r"it'?s (?:safer|easier|better) to (?:give in|keep quiet|say yes|obey|agree)",
    ),
    "self_sacrifice": (
        (
            r"(?:everyone|everybody|others|other people|the others|my (?:family|children|kids|husband|wife|mother|"
            r"patients)) <few>(?:always |must |have to |has to )?(?:comes?|go|goes|come) (?:first|before me)"
        ),
        (
            r"i <so>(?:put|have to put) (?:everyone|everybody|others|other people|them|him|her|my \w+)(?: "
            r"else)?(?:'s needs)? (?:first|before)"
        ),
        (
            r"<am> <so>(?:guilty|selfish|bad) (?:when(?:ever)?|if|for|about) <any>(?:for myself|my own|rest|resting|"
            r"no to|saying no|myself first|i want|time off)"
        ),
        r"i (?:look after|take care of|care for) (?:everyone|everybody) (?:but|except) (?:me|myself)",
        r"i (?:can'?t|cannot|could never) (?:think of|put) myself (?:first|before)",
    ),
    "approval_seeking": (
        (
            r"i <so>(?:need|want|have to have|crave) (?:everyone|everybody|people|others|them|him|her) to (?:like|"
            r"approve|admire|notice|praise|love|think well|be impressed)"
        ),
        (
            r"(?:if|when|unless) (?:people|they|nobody|no one|others|everyone|someone) <any>(?:likes?|praises?|"
            r"approves?|notices?|admires?|applauds?) <few>(?:me|of me)? ?<any>(?:nothing|worthless|nobody|no value)"
        ),
        (
            r"i (?:care|worry|think) <few>(?:about )?what (?:people|others|other people|they|everyone|everybody|the "
            r"neighbours) <few>(?:thinks?|say|says|might say)(?: of me| about me)?"
        ),
        (
            r"i <so>(?:need|crave|live for) (?:their|his|her|people'?s|everyone'?s|other people'?s) (?:approval|"
            r"praise|admiration|recognition|applause)"
        ),
        r"my worth depends on",
    ),
    "negativity_pessimism": (
        (
            r"(?:everything|it|things|something|whatever i do) <few>(?:always|ends? up|is bound to|'s bound to|are "
            r"bound to|invariably) <few>(?:goes?|going|go|turns?|ends?|gets?|falls?) <few>(?:wrong|badly|in tears|"
            r"worse|apart)"
        ),
        r"(?:there'?s|there is) no point <few>(?:hoping|getting my hopes up|looking forward|being optimistic)",
        r"i <so>expect the worst",
        (
            r"life is <so>(?:one|nothing but|full of|a) <any>(?:disappointments?|suffering|misery|problems?|"
            r"troubles?|struggle)"
        ),
        r"good things (?:never|don'?t|do not) <few>(?:last|happen)",
        r"it'?s better not to hope",
    ),
    "emotional_inhibition": (
        (
            r"i (?:never|don'?t|can'?t|mustn'?t|must not|must never|won'?t|do not) <few>(?:let (?:anyone|people|"
            r"them|myself|anybody) <few>(?:cry|feel|how i feel)|show <any>(?:feelings?|feel|emotions?|weakness|"
            r"anger|tears)|express <few>(?:feelings?|feel|emotions?|anger))"
        ),
        (
            r"(?:showing|having|expressing) (?:your |my |any )?(?:feelings|emotions?|anger|tears) (?:is|are|makes) "
            r"<few>(?:weak|weakness|dangerous|shameful|embarrassing|childish|pathetic)"
        ),
        r"(?:boys|men|we|people like us) don'?t cry",
        (
            r"i <so>(?:keep|bottle|hold|swallow|lock) (?:it|everything|my feelings|my emotions|my anger|things) "
            r"<few>(?:in|inside|up|down|away)"
        ),
    ),
    "unrelenting_standards": (
        (
            r"(?:it|everything|my \w+|whatever i do) <few>(?:has to|have to|must|needs? to|'s got to) be "
            r"<so>(?:perfect|flawless|the best|spotless|faultless)"
        ),
        (
            r"i (?:have to|must|need to|'ve got to|has to) <few>(?:be (?:perfect|the best|flawless)|be better than "
            r"everyone|do (?:it|everything) perfectly|get everything right|always do better)"
        ),
        r"(?:second best|good|very good|ninety percent) (?:is|was) (?:not|never) <few>(?:good )?enough",
        (
            r"i (?:can'?t|cannot|don'?t|never) <few>(?:allow|let) myself <any>(?:mistakes?|rest|relax|slow down|"
            r"anything less|stop)"
        ),
        r"nothing i (?:do|achieve) is (?:ever )?(?:good enough|enough)",
    ),
    "punitiveness": (
        (
            r"(?:i|he|she|they|people|you|anyone|whoever <any>|someone who <any>) ?(?:deserves?|deserved|should|"
            r"ought to|must|have to|has to) (?:to )?(?:be )?(?:punished|suffer|pay for (?:it|that|this|what))"
        ),
        (
            r"i deserve (?:this|the pain|to suffer|to be punished|every bit|what happened|to hurt|to be ill|to be "
            r"alone|it all)"
        ),
        r"there(?:'s| is) no excuse for (?:a mistake|mistakes|making mistakes|getting it wrong|what i)",
        r"i (?:can'?t|cannot|will never|won'?t|could never|can never) <few>forgive (?:myself|him|her|them|people)",
        r"mistakes (?:must|should|have to|need to) be (?:punished|paid)",
    ),
}
"""Beliefs by schema, in our own words; no item of a questionnaire is used. Source: Young et al. (2003)."""


class SchemaTagger(HintTagger):
    """Beliefs of schema therapy. Not validated. A distortion is no schema: it is how one thinks, not what one holds."""

    def __init__(self) -> None:
        super().__init__("schema", CUES)

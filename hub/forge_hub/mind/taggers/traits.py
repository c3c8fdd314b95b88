"""Which end of a facet of the Big Five an utterance may hint at. A state of today is no trait."""

from collections.abc import Mapping
from typing import Final

from forge_hub.mind.taggers.hints import HintTagger
from forge_language.taxonomy import TraitHintId

CUES: Final[Mapping[TraitHintId, tuple[str, ...]]] = {
    "intellectual_curiosity_high": (
        (
            r"i(?:'ve always| have always)? <so>(?:love|loved|like|liked|enjoy|enjoyed) (?:learning|reading about|"
            r"thinking about|philosoph\w+|debating|discussing (?:ideas|books)|puzzles|finding out|finding things "
            r"out)"
        ),
        r"i(?:'m| am) <so>curious about",
        r"i <so>want to (?:know|understand|find out) (?:how|why) (?:things|everything|it|the world|people)",
    ),
    "intellectual_curiosity_low": (
        (
            r"i(?:'m| am) <so>not (?:interested in|one for) (?:ideas|books|theor\w+|big questions|deep|philosophy|"
            r"learning)"
        ),
        (
            r"i (?:don'?t|can'?t|never) <few>(?:care for|see the point of|like) (?:philosoph\w+|abstract|theor\w+|"
            r"deep (?:talk|conversations?)|big ideas|books)"
        ),
        r"(?:thinking too much|philosophy|theory|theories|abstract ideas|deep conversations?) (?:bores?|tires?) me",
    ),
    "aesthetic_sensitivity_high": (
        (
            r"(?:music|a painting|paintings|poetry|art|a poem|poems|the theatre|sculpture|an opera|opera) "
            r"<few>(?:moves?|moved|touches|touched|gives? me (?:goose|shivers)|makes? me cry|can make me cry)"
        ),
        (
            r"i(?:'ve always| have always)? <so>(?:love|loved|adore|adored|could spend hours in|can spend hours in|"
            r"lose myself in|get lost in) <few>(?:museums?|galler\w+|poetry|paintings?|opera|classical music|art|"
            r"sculpture)"
        ),
    ),
    "aesthetic_sensitivity_low": (
        (
            r"(?:art|poetry|museums?|galleries|opera|classical music|paintings) <few>(?:does nothing|do nothing|"
            r"bores?|leaves? me cold|means nothing|isn'?t for me|is not for me|aren'?t for me)"
        ),
        (
            r"i (?:don'?t|do not|never) <few>(?:care about|care for|see the point of|get|understand) (?:art|poetry|"
            r"museums|opera|paintings|classical music)"
        ),
    ),
    "creative_imagination_high": (
        (
            r"i(?:'m| am)? <so>(?:make|making|come|coming) up (?:stories|songs|(?:with )?(?:new )?(?:ideas|stories|"
            r"things))"
        ),
        r"i <so>(?:write|paint|compose|invent|draw) (?:my own|stories|poems|songs|pictures|music|things)",
        r"i(?:'ve| have)(?: always had| got)? <so>(?:a vivid|a wild|a lively|lots of|a big) imagination",
        r"<am> <so>(?:creative|imaginative|inventive)(?: person)?",
    ),
    "creative_imagination_low": (
        r"i(?:'ve| have)(?: got)? (?:no|very little|little) imagination",
        r"i(?:'m| am) <so>not (?:a |very |really |at all )*(?:creative|imaginative|inventive)",
        r"i <so>(?:stick to what i know|(?:like|prefer) (?:things|it) the way (?:they|it))",
    ),
    "organisation_high": (
        (
            r"i <so>(?:like|keep|need|want) (?:things|everything|my \w+|it) <few>(?:tidy|in order|neat|organi[sz]ed|"
            r"in its place|in their place|planned|just so)"
        ),
        r"i <so>(?:make|write) <few>(?:lists|a list|plans|a plan) (?:for|of|before|every)",
        r"<am> <so>(?:organi[sz]ed|orderly|methodical|tidy)(?: person)?",
    ),
    "organisation_low": (
        r"i(?:'m| am| was| have always been|'ve always been) <so>(?:messy|disorgani[sz]ed|untidy|chaotic)",
        r"i (?:can never|never) find (?:anything|my)",
        r"i <so>leave (?:a mess|my things|things|my clothes|everything) <few>(?:everywhere|lying|behind)",
        r"my (?:room|flat|desk|house|car|kitchen) is always <so>(?:a )?<few>(?:mess|tip|messy|chaos)",
    ),
    "productiveness_high": (
        r"i <so>(?:finish what i (?:start|begin)|get things done|get on with (?:it|things))",
        r"i <so>(?:keep at it|keep going|work|don'?t stop) <few>until (?:it'?s|it is|i'?m|the|everything)",
        r"i(?:'ve always| have always)? <so>worked? (?:hard|steadily)(?: all my life)?",
    ),
    "productiveness_low": (
        r"i <so>(?:keep putting|put|am putting|keep) (?:things|everything|it all) off",
        (
            r"i <so>(?:procrastinate|waste (?:my|the whole) (?:time|days?)|never get (?:anything|much) done|never "
            r"finish (?:anything|things|what))"
        ),
        r"i (?:can'?t|can never|find it hard to|struggle to) get started",
        r"<am> <so>(?:lazy|a procrastinator)",
    ),
    "responsibility_high": (
        r"(?:people|they|you|everyone|others) can <so>(?:rely|count|depend) on me",
        r"i <so>keep my (?:promises|word|appointments)",
        r"i(?:'m| am) <so>(?:on time|reliable|punctual|dependable|conscientious)",
        r"i (?:have )?never (?:let|missed|miss) <few>(?:down|deadline|a day'?s work|an appointment|appointments)",
    ),
    "responsibility_low": (
        r"i <so>(?:forget|miss|skip) (?:my )?(?:appointments|bills|deadlines|to pay|obligations)",
        r"i(?:'m| am) <so>(?:not (?:very )?reliable|unreliable|careless|late for everything|irresponsible)",
        r"i <so>let (?:people|everyone|others) down",
    ),
    "sociability_high": (
        (
            r"i(?:'ve always| have always)? <so>(?:love|loved|like|liked|enjoy|enjoyed) (?:being around|meeting|"
            r"talking to|chatting (?:with|to)|being with|having) <few>(?:people|company|guests|others|strangers|"
            r"crowds)"
        ),
        r"i <so>(?:love|like|enjoy) (?:parties|company|a good chat|crowds)",
        r"<am> <so>(?:outgoing|sociable|talkative|a people person|chatty|extrovert\w*|an extrovert)",
    ),
    "sociability_low": (
        (
            r"<am> <so>(?:a )?<so>(?:shy|reserved|introvert\w*|an introvert|not (?:very )?sociable|a loner|"
            r"a quiet person|a private person)"
        ),
        r"i <so>(?:keep to myself|avoid (?:parties|people|company)|prefer my own company|stay in the background)",
        (
            r"i (?:don'?t|do not|never|can'?t stand) <few>(?:like|enjoy|liked|stand) (?:parties|crowds|company|"
            r"small talk|meeting (?:new )?people)"
        ),
        r"(?:crowds|parties|people|company) <few>(?:drain|drains|exhaust|exhausts|tire|tires) me",
    ),
    "assertiveness_high": (
        (
            r"i <so>(?:take charge|take the lead|speak my mind|say what i think|stand up for myself|stand my ground|"
            r"tell people what i think)"
        ),
        r"<am> <so>(?:a )?(?:born |natural )?(?:leader|assertive)",
    ),
    "assertiveness_low": (
        (
            r"i (?:<cannot>|never|don'?t|find it (?:so |very )?hard to|struggle to) <few>(?:say no|"
            r"speak up|stand up for myself|say what i think|speak my mind)"
        ),
        r"i <so>let (?:others|other people|everyone|them|people) (?:decide|take the lead|lead|choose)",
    ),
    "energy_level_high": (
        r"i(?:'m| am) (?:always |usually |a person )?(?:full of energy|on the go|bursting with energy)",
        r"i(?:'ve| have)(?: got| always had)? <so>(?:so much|lots of|loads of|plenty of|a lot of) energy",
        r"i(?:'m| am) (?:always|usually) <so>(?:active|busy|doing something|on my feet|energetic)",
        r"i (?:can'?t|could never|never could) sit still",
    ),
    "energy_level_low": (
        r"i(?:'ve| have)? (?:never|don'?t) (?:had|have) <few>(?:any |much |a lot of )energy",
        r"i(?:'m| am) (?:always|usually|forever|constantly) <so>(?:tired|exhausted|worn out|sluggish)",
        (
            r"i(?:'ve always| have always| always| usually)? (?:take|taken|took|do|done) (?:things|everything) "
            r"<so>slow(?:ly)?"
        ),
    ),
    "compassion_high": (
        (
            r"i (?:can'?t bear|can'?t stand|hate|cannot bear) <few>(?:to see|seeing|watching) <any>(?:suffer\w*|in "
            r"pain|hurt|cry\w*|sad|upset)"
        ),
        r"i <so>feel (?:for|sorry for) (?:him|her|them|people|others|the other|that|anyone|the poor)",
        (
            r"i <so>(?:like|love|want|enjoy) (?:to help|helping|looking after|to care for|caring for) (?:people|"
            r"others|other people|anyone|the others)"
        ),
    ),
    "compassion_low": (
        (
            r"(?:other people'?s|others'?|their|everyone'?s) (?:problems|feelings|troubles|tears) <few>(?:are not|"
            r"aren'?t|don'?t|do not|never) <few>(?:my problem|my business|my concern|interest me|bother me|concern "
            r"me)"
        ),
        (
            r"i (?:don'?t|do not|couldn'?t|never) <few>(?:care|feel sorry|feel) (?:about|for) (?:other people|"
            r"others|them|anyone|anybody|people)"
        ),
    ),
    "respectfulness_high": (
        r"i <so>(?:try to be|am|'m|try to stay) <so>(?:polite|respectful|considerate|courteous)",
        r"i(?:'m| am) <so>(?:polite|respectful|considerate|courteous)",
        r"i <so>(?:try to )?treat (?:everyone|people|others|everybody) with respect",
    ),
    "respectfulness_low": (
        r"i <so>(?:pick|start|get into) (?:fights|arguments|quarrels|rows)",
        r"i(?:'m| am| can be) <so>(?:rude|blunt|short|insulting|nasty) (?:to|with)",
        r"i <so>(?:insult|snap at|swear at|shout at|talk down to) (?:people|everyone|everybody|others|anyone)",
    ),
    "trust_high": (
        (
            r"i <so>(?:trust|believe in|think the best of|see the good in|look for the good in) (?:people|others|"
            r"everyone|everybody|strangers)"
        ),
        (
            r"(?:most )?people <so>(?:mean well|are (?:basically |mostly |really |generally )?(?:good|kind|honest|"
            r"decent))"
        ),
        r"i(?:'m| am) <so>(?:a )?trusting(?: person)?",
    ),
    "trust_low": (
        r"i (?:don'?t|never|can'?t|cannot|do not) <so>trust (?:anyone|anybody|people|others|strangers|nobody|easily)",
        (
            r"(?:people|everyone|everybody) <few>(?:only|just) <few>(?:out for themselves|after something|want "
            r"something|wants something|look after themselves|thinks? of themselves)"
        ),
        r"(?:everyone|everybody|people) (?:has|have|have got) <few>(?:agenda|agendas|angle|motives?)",
        r"i(?:'ve| have)(?: got| always had)? <so>trust issues",
        r"<am> <so>(?:suspicious|wary|distrustful) of (?:people|others|everyone|strangers)",
    ),
    "anxiety_high": (
        (
            r"i <so>worry <so>(?:about (?:everything|anything|all sorts|the smallest|every)|all the time|constantly|"
            r"a lot|too much)"
        ),
        (
            r"i(?:'m| am|'ve always been| have always been) (?:always |usually |constantly |often |such )?(?:a "
            r"worrier|a born worrier|a nervous person|an anxious person)"
        ),
        (
            r"i(?:'m| am) (?:always|usually|constantly|often|forever) <so>(?:tense|nervous|anxious|on edge|worried|"
            r"afraid)"
        ),
        r"my mind (?:never stops|is always racing|always races)",
        r"i tend to <few>(?:worry|overthink|over-think|panic)",
    ),
    "anxiety_low": (
        (
            r"i (?:don'?t|never|rarely|hardly ever|seldom|do not) <few>(?:worry(?: much| about much| about things)?|"
            r"get nervous|get stressed|stress|panic)"
        ),
        (
            r"i(?:'m| am|'ve always been| have always been) (?:always |usually |generally |mostly |a |pretty "
            r")+(?:relaxed|calm|laid[- ]back|easygoing|easy[- ]going)(?: person)?"
        ),
        r"i take things as they come",
        r"(?:nothing|not much|very little) <few>(?:worries|frightens|fazes|rattles) me",
    ),
    "depression_high": (
        (
            r"i(?:'m| am| feel) (?:often|always|usually|constantly|forever|mostly) <so>(?:sad|low|down(?! for)|blue|"
            r"depressed|unhappy|miserable|gloomy)"
        ),
        r"i(?:'ve| have) (?:always )?been (?:low|down|sad|depressed|unhappy|miserable|gloomy) (?:for|all|most|since)",
        r"i(?:'ve| have) always been (?:a )?<so>(?:gloomy|melancholy|sad|unhappy|pessimist\w*)",
    ),
    "depression_low": (
        (
            r"i(?:'m| am) (?:usually|always|generally|mostly|basically|a) <so>(?:happy|cheerful|content|optimistic|"
            r"positive|optimist)(?: person)?"
        ),
        r"i(?:'ve| have) always been (?:a )?<so>(?:happy|cheerful|content|optimis\w+|positive)",
        r"i <so>(?:look on the bright side|bounce back|see the glass half full|stay cheerful)",
    ),
    "emotional_volatility_high": (
        (
            r"my (?:moods?|feelings|emotions) <so>(?:swings?|changes?|goes|go|are|is) <any>(?:up and down|all over "
            r"the place|from one|quickly|by the (?:hour|minute)|wildly|every (?:hour|minute|few))"
        ),
        r"my moods? swings?",
        (
            r"i <so>(?:lose my temper|fly off the handle|get upset|blow up|snap|explode|cry) <so>(?:easily|quickly|"
            r"at the (?:slightest|smallest|least)|over (?:nothing|little))"
        ),
        r"i(?:'ve| have)(?: got| always had)? a <so>(?:short|quick|bad|hot) (?:temper|fuse)",
        r"i (?:get|have|'ve got|suffer from) <any>mood swings",
    ),
    "emotional_volatility_low": (
        r"i <so>(?:keep|stay|remain) (?:calm|cool|level|composed|steady) (?:under|when|in|even|whatever)",
        (
            r"i(?:'m| am|'ve always been| have always been) <so>(?:even[- ]tempered|level[- ]headed|steady|"
            r"stable)(?: person)?"
        ),
        r"it takes a lot to (?:upset|rattle|anger|make me)",
        r"i (?:never|hardly ever|rarely) <few>lose my temper",
    ),
}
"""Signs by end of a facet, in our own words. Facets: BFI-2 (Soto & John 2017); none of its items is used."""


class TraitTagger(HintTagger):
    """Hints at facets of the Big Five in what somebody says of how they usually are. Not validated."""

    def __init__(self) -> None:
        super().__init__("trait", CUES)

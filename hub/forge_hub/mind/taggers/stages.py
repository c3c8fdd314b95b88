"""Which stage of life the theme of an utterance belongs to: by what is said, never by anybody's age."""

from collections.abc import Mapping
from typing import Final

from forge_hub.mind.taggers.hints import HintTagger
from forge_language.taxonomy import EriksonStageId

CUES: Final[Mapping[EriksonStageId, tuple[str, ...]]] = {
    "trust_vs_mistrust": (
        r"i <cannot> <so>(?:trust|rely on|depend on|count on) <people>",
        r"(?:nobody|no one|no-one) <few>(?:came when i|there for me|there to catch me|comes when i|will be there)",
        r"i (?:have )?(?:learned|learnt) <few>(?:not to|never to) <so>(?:trust|rely|depend|count)",
        r"you <cannot> <so>(?:trust|rely on|count on) (?:anyone|anybody|people|nobody)",
        r"i (?:know|trust) (?:that )?(?:someone|they|people|my \w+)(?: will|'ll) (?:be there|come)",
        r"there (?:was|is|'s|has) <so>(?:been )?(?:someone|somebody) i could (?:rely|count|depend) on",
        r"i(?:'ve| have)?(?: got| grew| grown| always had)? (?:such |serious |big |huge )?trust issues",
        r"the world <few>(?:can'?t be|cannot be|is not to be) trusted",
    ),
    "autonomy_vs_shame_doubt": (
        (
            r"(?:let me|i want to|i'?d like to|i would like to|i need to|i can) <few>(?:decide|manage|choose|do "
            r"(?:it|this|that|things)|wash|dress|walk|eat) <few>(?:myself|by myself|on my own|for myself|alone)"
        ),
        (
            r"i (?:hate|can'?t stand|don'?t like|resent) <few>(?:being helped|being told what to do|being washed|"
            r"having to ask|needing help|being treated like a child)"
        ),
        r"<am> <so>ashamed <any>(?:help|accident|wet|washed|fed|diaper|nappy|toilet|needing)",
        r"(?:they|he|she|everyone|people) (?:always )?(?:decides?|does|do) <few>(?:everything )?for me",
        r"i(?:'m| am) not allowed to (?:decide|do anything|choose|say)",
        r"i (?:always )?(?:doubt myself|second[- ]guess|doubt every)",
        r"(?:nobody|no one) lets me <few>(?:decide|choose|do)",
    ),
    "initiative_vs_guilt": (
        r"<am> <so>guilty <any>(?:starting|wanting|trying|asking for|taking time|doing something for|having ideas)",
        r"i (?:don'?t dare|daren'?t|never dared?|dare not|didn'?t dare) <few>(?:start|try|ask|begin|suggest|go)",
        r"i(?:'ve| have)? (?:always )?want(?:ed)? to start (?:something|(?:a|an|my own) (?!life|family|fight)\w+)",
        r"who am i to (?:ask|start|want|try|suggest)",
        r"i (?:always )?wait for (?:someone|others|somebody|other people) <few>(?:start|begin|make the first)",
        (
            r"i (?:just |have |recently )*(?:started|set up|founded|organised|organized) (?:a|an|my own|our own) "
            r"<few>(?:group|club|business|choir|project|company|band)"
        ),
        r"i (?:had|have|'ve got|got) (?:a|an|this) (?:new )?(?:idea|plan) (?:and|but|for|to)",
    ),
    "industry_vs_inferiority": (
        (
            r"i(?:'ve| have)? (?:always|keep|kept|just|only|only ever) (?:mess|screw|muck|cock|fuck)(?:ed|ing)? "
            r"(?:\w+ )?up"
        ),
        (
            r"i(?:'ve| have)? <so>(?:mess|screw|muck|cock|fuck)(?:ed)? (?:everything|things|it all|my life|anything|"
            r"up (?:everything|things|my life|all))(?: i (?:do|touch|try))?(?: up)?"
        ),
        r"<am> <so>(?:a |an |such a )?<few>(?:failure|loser|underachiever)",
        r"i(?:'m| am) <so>not <so>(?:good|clever|smart|capable|skilled|bright) enough",
        r"(?:not being|i wasn'?t|i was never|i(?:'m| am) never) <so>good enough(?: for)?",
        r"i <cannot> <few>do anything (?:right|properly|well)",
        (
            r"i(?:'m| am| was| feel) <so>(?:useless|no good|hopeless|rubbish|inferior|incompetent|stupid at|bad) "
            r"(?:at|to|with|compared)"
        ),
        (
            r"(?:everyone|everybody|all the) <few>(?:is|was|were|are) (?:so much )?(?:better|quicker|smarter|"
            r"cleverer|more capable) (?:at|than)"
        ),
        r"i (?:never|can never) <few>finish (?:anything|what)",
        r"i(?:'ve| have)? <few>failed (?:again|everything|at everything|at school|my exams?|the exam|the course)",
        (
            r"i(?:'m| am| was) <so>(?:good|getting better|skilled|competent) at (?:my|what i|the) (?:job|work|do|"
            r"trade|craft)"
        ),
        r"<am> <so>proud of (?:what i|my work|my job|having finished|the work|how i (?:did|managed))",
        r"i worked (?:so |really |very )?hard (?:for|at|on) (?:it|this|that|my)",
    ),
    "identity_vs_role_confusion": (
        (
            r"(?:don'?t|do not|didn'?t|no longer|not|never) <few>(?:know|knew|sure|recogni[sz]e) <few>who i "
            r"(?:really |even |actually )?(?:am|was|want to be)"
        ),
        (
            r"(?:no idea|idea of|sense of|wonder|wondering|wondered|figuring out|work out|find out|finding out|"
            r"asking myself) <few>who i (?:really )?(?:am|was|want to be)"
        ),
        r"i(?:'ve| have)? <few>lost (?:my sense of self|myself|my identity|who i (?:am|was))",
        r"(?:trying|need|want|had|have) to find myself",
        r"i (?:don'?t|do not|never) <few>know what i want <few>(?:be|do with my life|from life|in life|out of life)",
        r"i(?:'m| am) (?:a )?different (?:person )?(?:with everyone|with everybody|depending on who)",
        r"i(?:'m| am) (?:just |always |only )?playing (?:a|the) (?:role|part)",
        r"question(?:ing|ed)? my (?:sexuality|gender|faith|identity)",
        r"i (?:finally |now |really )?know (?:exactly )?who i am",
        r"who am i <few>(?:without|if|now|really|anymore|any more|supposed to be)",
    ),
    "intimacy_vs_isolation": (
        r"i <dont> <few>(?:let|get) <people> <few>(?:in|close)",
        r"i <cannot> <few>let <people> <few>(?:in|close|near)",
        r"<am> <so>(?:lonely|isolated|alone in the world|all alone)",
        (
            r"i(?:'ve| have)? (?:got )?(?:no one|nobody|no-one|no friends)(?: left| close| at all)?(?: to (?:talk|"
            r"share|come home|turn|be with))?"
        ),
        r"(?:no one|nobody|someone|somebody) to (?:share <any>with|come home to|grow old with|love)",
        (
            r"(?:afraid|scared|frightened|terrified) (?:of|to) (?:commit\w*|get(?:ting)? close|fall(?:ing)? in love|"
            r"los(?:e|ing) myself in)"
        ),
        r"(?<!they )(?<!people )(?<!you )(?:feel|feeling) <so>(?:lonely|isolated|all alone|alone in the world)",
        r"<am> so (?:very )?alone",
        r"i <cannot> <few>get close to <people>",
        r"share my life with",
        r"(?:we|he and i|she and i)(?:'ve| have)? (?:grown|become|got|been) (?:so |very |really )?close",
        r"(?:we|he and i|she and i)(?:'ve| have)? (?:drifted|grown) apart",
        r"i(?:'ve| have)? never been <few>(?:in love|close to anyone|in a (?:real )?relationship)",
        r"i(?:'ve| have)? (?:fell|fallen|falling) in love",
    ),
    "generativity_vs_stagnation": (
        r"(?:pass|passing|hand|handing) <any>on to (?:the|my|those|younger|others|someone|a)",
        r"(?:leave|leaving|left) (?:something|a mark|anything|nothing|the world) <few>(?:behind|better|for)",
        r"the next generation|those who come after|after i'?m gone",
        r"<am> <so>(?:stagnating|going nowhere|going through the motions|stuck in (?:a rut|my life|the same))",
        (
            r"my life <so>(?:is|has become|feels|'s) <so>(?:stuck|stale|standing still|going nowhere|the same every "
            r"day|pointless routine)"
        ),
        (
            r"i(?:'ve| have)? (?:contributed?|give|gave|given) <few>(?:nothing|back) <few>(?:to (?:anyone|the world|"
            r"society|others)|back)"
        ),
        r"i(?:'m| am) no use to (?:anyone|anybody|my \w+|the world)",
        (
            r"i <so>(?:want|wanted|love|loved|like|enjoy|hope) (?:to )?(?:teach\w*|mentor\w*|guid\w+|train\w*|"
            r"rais\w+|bring\w* up) (?:the |my |our |other |some )?(?:young\w*|children|kids|students|apprentices|"
            r"grandchildren|people|new)"
        ),
        (
            r"(?:what|have i|did i) <few>(?:done|do|achieved|built) <few>(?:for anyone|for others|that lasts|that "
            r"will last)"
        ),
    ),
    "integrity_vs_despair": (
        (
            r"look(?:ing|ed)? back (?:on|at|over) (?:my|it all|everything|all (?:of )?(?:it|those|these)|the years|"
            r"a life)"
        ),
        (
            r"i(?:'ve| have)? (?:just )?wasted (?:my|so much of my|the best|all (?:of )?(?:my|those)|half my) "
            r"(?:life|years|time on earth)"
        ),
        r"(?:live|do|have) (?:it all|my life|my time)(?: all)?(?: over)? again",
        (
            r"too late (?:for me |now |in life )?to (?:change|start (?:again|over)|make (?:it|things|up)|put (?:it|"
            r"things) right)"
        ),
        r"i(?:'ve| have)? (?:had|lived|led) (?:a|such a) <few>(?:good|full|long|happy|rich|fine|decent) life",
        (
            r"(?:my|a) (?:whole )?life <few>(?:well lived|(?:was|has been|is) (?:for nothing|all right|a waste|"
            r"wasted|worth it|meaningless)|meant nothing)"
        ),
        (
            r"i (?:have|'ve|'ve got)? ?(?:no|many|so many|a lot of) regrets?(?: about| in) (?:my |how |the way "
            r")?(?:life|i lived)"
        ),
        r"i regret (?:so much|everything|my life|the way i lived|how i lived|most of)",
        (
            r"(?:at peace|made (?:my )?peace|come to terms) with (?:my life|dying|death|how (?:it|my life)|it all|"
            r"the end|the way)"
        ),
    ),
}
"""Themes by stage, both outcomes of each. Ours, after the question of each stage: `forge_language.taxonomy`."""


class StageTagger(HintTagger):
    """Themes of Erikson's stages in what somebody says about themselves. Not validated."""

    def __init__(self) -> None:
        super().__init__("stage", CUES)

"""The patterns behind `forge_language.distortions`: small letters, straight apostrophes, within one sentence.

Written after the definitions in `forge_language.taxonomy`; wildcards are bounded, so that a search stays linear.
"""

from collections.abc import Mapping
from typing import Final

from forge_language.taxonomy import DistortionId

_ANY = r"[^.!?;]{0,60}?"
"""A few words in between."""

_AM = (
    "(?:i'?m|i am|i've been|makes me|i feel like|makes me feel like|i'?m just|i'?m nothing but|i'll "
    "always be|i must be)"
)
_THEY = (
    r"(?:he|she|they|everyone|everybody|people|you|(?:the|my|those|all the|these) (?:\w+ ){0,2}?\w+|nobody|no "
    "one|you all|they all)"
)
_BAD_ACT = (
    r"(?:mess(?:es|ed)? (?:\w+ ){0,3}?up|fail(?:s|ed)?|ruin(?:s|ed)?|screw(?:s|ed)? (?:\w+ )?up|lose|lost|get "
    r"(?:it|things|everything) wrong|gets? (?:left|hurt|ignored|blamed|forgotten|rejected)|end up|let (?:\w+ "
    "){1,2}?down|disappoint|goes? wrong|went wrong|hurt|break|spoil|fall apart|forget(?:s)? (?:about )?me|"
    "leaves? me|lets? me down|ignores? me|happens? to me|say the wrong|do the wrong|make (?:a )?(?:mess|"
    "mistake|fool)|am the one|have to suffer|the same|blames? me|take advantage)"
)
_NAMES = (
    "(?:loser|failure|idiot|burden|fool|waste of (?:space|time)|coward|fraud|monster|mess|freak|moron|wreck|"
    "lost cause|nobody|joke|(?:bad|terrible|awful|horrible|useless|worthless|weak|stupid|broken|selfish|"
    "disgusting) (?:person|mother|father|mum|dad|wife|husband|son|daughter|parent|friend|patient|human being|"
    "human|man|woman)|disappointment|liar|weakling|nuisance|cripple|imposter|impostor|screw ?up|basket case|"
    "good for nothing|hopeless case|write ?off|bully|witch|snake|pig|jerk|tyrant|narcissist|dead weight|sad "
    "case)"
)
_FLAWS = "(?:stupid|useless|worthless|pathetic|hopeless|unlovable|lazy|inadequate|inferior|defective|no good|dumb)"
_HOSTILE = (
    "(?:hates?|despises?|dislikes?|can'?t stand|resents?|pit(?:y|ies)|looks? down on|(?:is|are|'re|'s) "
    "(?:all )?(?:laughing at|judging|sick of|tired of|fed up with|ashamed of|annoyed (?:with|by|at)|"
    "disappointed (?:in|with|by)|disgusted (?:by|with)|bored (?:of|with|by)|talking about|avoiding|ignoring|"
    "mad at|angry (?:with|at))|blames?|avoids?) (?:me|us|my)"
)
_THINKS = (
    "(?:thinks?|thought|believes?|reckons?|assumes?|feels?|finds?|sees?|decided) (?:that )?(?:i'?m|i am|i|me|my|of me)"
)

_PERSONS = (
    "wife|husband|mother|father|mum|mom|dad|son|daughter|sister|brother|boss|friend|neighbour|ex|partner|nurses?|"
    "doctors?|"
    "man|woman|lady|girl|boy|consultant|surgeon|teacher|family|staff"
)

PATTERNS: Final[Mapping[DistortionId, tuple[str, ...]]] = {
    "all_or_nothing": (
        (
            "(?:complete(?:ly)?|total(?:ly)?|utter(?:ly)?|absolute(?:ly)?) (?:and utter )?(?:failure|waste|useless|"
            "worthless|loser|wasted|failed|pointless|hopeless|ruined|alone|unlovable|incompetent)"
        ),
        ("either i " + _ANY + " or "),
        ("it'?s either " + _ANY + " or "),
        "all or nothing",
        (
            "(?:if|unless) (?:i|it|it'?s|i'?m|something) "
            + _ANY
            + "(?:there'?s no point|no point|pointless|(?:a )?(?:complete |total )?failure|worthless|useless|(?:might|"
            "may) as well|not worth|i'?m nothing|it'?s nothing|counts for nothing)"
        ),
        r"(?:isn'?t|not|wasn'?t|anything (?:less|short) (?:than|of)|less than) (?:\w+ )?perfect(?:ion)?",
        (
            r"(?:one|a single|any) (?:mistake|slip|bad \w+)"
            + _ANY
            + "(?:wasted|ruined|for nothing|failed|pointless|blown)"
        ),
        "there'?s no (?:in between|middle ground|halfway)",
        "(?:might|may) as well (?:not|give up|quit|have (?:not|done nothing))",
        "second place|(?:100|a hundred|one hundred) percent or",
    ),
    "overgeneralisation": (
        (
            r"(?:i|it|things?|they|everyone|everybody|people|this|something|he|she|we) (?:just )?always (?:\w+ )?"
            + _BAD_ACT
        ),
        ("i'?m always (?:the one|letting|messing|getting (?:left|hurt|it wrong)|wrong|alone|last|left out|going to)"),
        "(?:this|that|it) (?:always|only ever|keeps on) happen(?:s|ing)? to me",
        (
            r"(?:nobody|no one|no-one|not one person) (?:\w+ )?(?:ever |really )?(?:likes?|cares?|loves?|understands?|"
            "wants?|listens?|helps?|visits?|believes?|comes|calls|has time|bothers?|remembers)"
        ),
        (
            r"(?:nothing|things?) (?:\w+ )?(?:ever|never) (?:\w+ )?(?:works?|goes|go|gets?|changes?|happens?|helps?|"
            "turns?|lasts?)"
        ),
        "nothing (?:i do |i try )?(?:works|helps|goes (?:right|well|my way)|is ever)",
        (
            r"everything (?:i (?:do|touch|try|start) )?(?:always )?(?:goes|turns|falls|gets|ends|is) (?:\w+ "
            "){0,2}?(?:wrong|apart|bad|ruined|badly|to (?:dust|rubbish|ash(?:es)?|pieces)|awful|terrible|hopeless|a "
            "mess)"
        ),
        (
            "every (?:single )?(?:time|thing|one)? ?i (?:try|do|start|trust|open|get|touch)"
            + _ANY
            + r"(?:wrong|fail\w*|fall\w*|ruin\w*|leave\w*|hurt|mess\w*|lose|lost|bad\w*|break\w*|let\w* me down)"
        ),
        (
            r"i (?:can )?never (?:do|get|seem to|manage to|finish|have any|say) (?:\w+ ){0,3}?(?:right|well|luck|"
            "properly|anything|anywhere|win|chance)"
        ),
        (
            r"(?:everyone|everybody|all (?:men|women|people|doctors|nurses|of them)) (?:\w+ )?(?:leaves?|lies?|lets? "
            "me down|hates?|abandons?|(?:are|is) (?:the same|against me)|only (?:care|want)s?)"
        ),
        "i can'?t (?:ever )?do anything (?:right|properly|at all)",
    ),
    "mental_filter": (
        "all i (?:can |could |ever )?(?:see|think (?:about|of)|hear|remember|notice|focus on|keep seeing)",
        (
            "(?:the )?only thing (?:that (?:matters|counts|sticks|stays)|i (?:can |could )?(?:remember|think|see|"
            "hear|notice))"
        ),
        (
            "(?:can'?t|couldn'?t|cannot) (?:stop (?:thinking about|replaying|hearing|seeing)|get past|see past|get "
            "over) (?:the|that|his|her|my|this|how|what) (?:one |single |bad )?"
        ),
        "keep (?:going back to|thinking about|replaying|coming back to|going over|dwelling on|hearing)",
        (
            r"(?:one|a single|that) (?:\w+ )?(?:\w+ )(?:has |have |just )?(?:ruined|spoil(?:ed|t)|wiped out|poisoned|"
            "overshadowed) (?:the|my|our|it|every)"
        ),
        (
            r"(?:but )?(?:none of (?:the|that) (?:\w+ )?(?:good|rest|nice)|the rest (?:of it )?(?:doesn'?t|didn'?t) "
            "matter)"
        ),
        "so the whole (?:day|week|visit|thing|evening|morning|holiday|stay|session) (?:was|is)",
    ),
    "disqualifying_positive": (
        ("(?:doesn'?t|don'?t|didn'?t|does not|did not) (?:really |even )?(?:count|mean (?:anything|a thing|much))"),
        "any(?:one|body) (?:could|can|would)(?:'ve| have)?",
        "(?:just|only|was) (?:being|trying to be) (?:nice|kind|polite|friendly)",
        (
            "(?:just|only) (?:said|saying|says?|told me|did|doing|does|do|visits?|came|comes?|smiles?|praised?) "
            r"(?:\w+ ){0,3}?(?:because|to (?:be (?:nice|kind|polite)|make me feel|cheer)|out of (?:pity|duty))"
        ),
        (
            "(?:that|it|this)(?:'s| is| was) (?:just|only|pure|sheer|all|down to|dumb|blind)? ?(?:luck|a fluke|"
            "chance|the (?:drugs|medication))"
        ),
        "(?:just|only) (?:got|was|been) (?:lucky|fortunate)",
        (
            "(?:they|he|she|you|people|nurses|doctors)(?:'re| are|'s| is)? (?:just|only|have to|has to|paid to|must|"
            "probably just) (?:paid to |have to )?(?:say|saying|be nice|do) (?:that|so|it|to everyone)"
        ),
        "(?:it|that) was nothing(?: special)?",
        "(?:she|he|they)(?:'s| is|'re| are) (?:just |only )?paid to",
        "(?:felt|feels?|feeling) sorry for me",
    ),
    "mind_reading": (
        (
            _THEY
            + " (?:must|probably|all|obviously|just|secretly|clearly|surely|really|already|only|definitely) (?:all |"
            "just |secretly |really |have )?(?:" + _THINKS + "|" + _HOSTILE + ")"
        ),
        (
            _THEY
            + "(?: all)? (?:"
            + _HOSTILE
            + "|"
            + _THINKS
            + r" (?:\w+ ){0,3}?(?:"
            + _FLAWS
            + "|"
            + _NAMES
            + "|boring|mad|crazy|weird|faking|exaggerating|attention|difficult|a pain|dirty|ugly))"
        ),
        (
            "i (?:just |can )?(?:know|tell|bet|could tell|knew) (?:that )?"
            + _THEY
            + "(?:'s|'re| is| are)? (?:all |secretly |just |really )?(?:thinks?|thinking|thought|hates?|wish(?:es)?|"
            "wants?|laughing|judging|sick|tired|fed up|talking|blames?|angry|annoyed|disappointed)"
        ),
        (
            _THEY
            + " (?:wish(?:es)?|would rather|want(?:s)?) (?:that )?(?:i (?:was|were|wasn'?t|weren'?t|would|wouldn'?t)|"
            "me (?:gone|dead|out))"
        ),
        (
            "(?:means|because|so) (?:that )?"
            + _THEY
            + r"(?:'s|'re| is| are)? (?:\w+ )?(?:hates?|(?:doesn'?t|don'?t) (?:like|care|want)|sick of|annoyed|angry|"
            "disappointed)"
        ),
        "i can see it in (?:his|her|their) (?:eyes|face|faces)",
    ),
    "fortune_telling": (
        "i(?:'ll| will) (?:just |probably |definitely |certainly )?never",
        (
            "i'?m (?:just |definitely |probably |certainly )?(?:never )?(?:going to|gonna) (?:never |definitely |end "
            "up |just )?(?:fail|be alone|lose|mess|end up|ruin|die (?:alone|in here|here)|get worse|fall apart|be "
            "(?:useless|a burden|stuck|left)|walk again|get better|recover)"
        ),
        (
            r"(?:it|this|that|things?|everything|the \w+|my \w+)(?:'s| is| are|'ll| will)? (?:just |only |definitely |"
            "certainly |never |all )*(?:going to |gonna )?(?:be a (?:disaster|failure|nightmare)|go (?:badly|wrong)|"
            "goes wrong|fail|end (?:badly|in tears)|fall apart|get worse|never (?:get|be|change|work|end))"
        ),
        (
            r"(?:will|'ll|won'?t|going to) (?:never|ever|definitely|certainly) (?:\w+ )?(?:get|be|find|want|love|work|"
            "forgive|speak|come|change|recover|happen|walk|trust|hate|leave)"
        ),
        (
            "i (?:just |already )?know (?:that )?(?:i'?ll|i will|it will|it'?ll|i'?m going to|it'?s going to|it "
            r"won'?t|i won'?t|they'?ll|they will|nothing will|the \w+ will|she'?ll|he'?ll)"
        ),
        "no (?:one|body) will (?:ever )?|nobody will (?:ever )?",
        "(?:is|am|i'm|it's|are|we're) (?:bound to|doomed|destined to|certain to|sure to)",
        r"nothing (?:will|is (?:ever )?going to) (?:ever )?(?:\w+ )?(?:help|work|change|get|be)",
        "there'?s no (?:way|chance|hope) (?:that )?(?:i|it|this|of|for)",
        "won'?t (?:work|help|make any difference|last|get any better)",
    ),
    "magnification": (
        r"(?:disaster|catastroph\w+|end of the world|unbearable|horrendous|horrific|earth-?shattering)",
        (
            "(?:i )?(?:can'?t|couldn'?t|cannot) (?:bear|stand|survive|live with|cope with) (?:it|this|that|another|"
            "the thought|one more)"
        ),
        "the worst (?:thing|day|person|possible|mistake|news|that could)",
        (
            "(?:my|the) (?:whole )?(?:life|world|career|future|marriage|everything) (?:is|'s|will be|has been) "
            "(?:over|ruined|finished|destroyed)"
        ),
        "(?:ruin(?:ed|s)|destroy(?:ed|s)|wreck(?:ed|s)) (?:my|everything|the rest of)",
        "(?:i'?ll |i will |we'?ll |could )?never (?:recover|get over|live (?:it|this|that) down|forgive myself)",
        "it (?:would|will|'ll) kill me",
        "(?:total|complete|absolute|utter|living) (?:disaster|nightmare|catastrophe|hell)",
        "everything (?:is|'s) (?:over|lost|finished|collapsing)",
        "(?:this|that|it) (?:means|is) the end",
    ),
    "emotional_reasoning": (
        (
            "i (?:just |really )?feel (?:so |such |like |that )?"
            + _ANY
            + "(?:so|therefore|which means|that means|means) (?:that )?(?:it|i|that|they|there|something|this|he|she|"
            "we|the)(?:'s|'m| must| is| am|'re| are| can'?t| have| will|'ll)?"
        ),
        (
            "(?:because|since|if) i (?:just |still |always )?feel "
            + _ANY
            + "(?:must|it'?s true|i (?:am|'m)|i'm|it is|proves?|means|there is)"
        ),
        "i (?:just |can )?feel it (?:so|in my|and|,)",
        r"(?:it|this) (?:just )?feels? (?:\w+ ){1,4}?(?:so|therefore|that means|which means|it must)",
        (
            r"(?:must be|it'?s|is|are) (?:\w+ ){0,3}?(?:because|since|or) i(?: wouldn'?t|'d not)? (?:just |wouldn'?t "
            ")?feel"
        ),
        (
            r"(?:my|this) (?:\w+ )?(?:gut|fear|guilt|anxiety|feeling|heart|stomach) (?:tells me|means|proves|says|is "
            "proof)"
        ),
        (
            r"i feel (?:guilty|ashamed|scared|afraid|stupid|useless|worthless|hopeless|anxious|like a \w+|like an "
            r"\w+) (?:so|therefore|and that)"
        ),
        "i wouldn'?t feel (?:this|so|like)",
    ),
    "should_statements": (
        (
            r"i (?:really |just )?(?:should(?:n'?t| not)?|must(?:n'?t| not)?|ought(?:n'?t| not)? to) (?:\w+ )?(?:have|"
            "be (?:able|better|stronger|over|coping|grateful|strong|perfect|more|less|doing|happy|ashamed|past|"
            "brave)|feel|know|never|always|need|cry|complain|let|bother|handle|cope|manage|make|show|still|ask)"
        ),
        "i(?:'m| am) (?:not )?supposed to (?:be|know|have|cope|look|feel|protect|manage|handle)",
        "i (?:have (?:got )?|'ve got )to (?:be (?:perfect|strong|brave|in control|the best)|always|never)",
        "i must (?:not|never|always|be|keep)",
        (
            r"(?:he|she|they|people|everyone|everybody|you|nurses?|doctors?|children|a (?:good |real |proper )?\w+|"
            r"men|women|my \w+|the (?:\w+ )?\w+) (?:should(?:n'?t| not)?|ought(?:n'?t)? to|must(?:n'?t)?) (?:\w+ "
            ")?(?:have|be (?:able|better|more|grateful|here|strong|kind|nice)|know|never|always|care|call|visit|"
            "listen|understand|cry|need|complain|treat|respect|behave|act|feel|want|come|help|think|do|let|show)"
        ),
        r"(?:shouldn'?t|should not) (?:\w+ )?(?:feel|need|have to|be (?:so|this|like))",
    ),
    "labelling": (
        (_AM + r" (?:(?!not |in |on |from |at )\w+ ){0,3}?(?:a |an |the |such a |just a )?(?:\w+ )?" + _NAMES),
        (
            _AM
            + " (?:just |so |such |really |totally |completely |basically |simply |too |plain |nothing but )*"
            + _FLAWS
        ),
        (
            r"(?:he|she|they|you|my (?:"
            + _PERSONS
            + r")|(?:that|the) (?:\w+ )?(?:"
            + _PERSONS
            + r"))(?:'s| is|'re| are) "
            r"(?:(?!not |in |on |at |having |getting )\w+ ){0,3}?"
            r"(?:a |an |such a |just a |complete |total |all )?(?:\w+ )?" + _NAMES
        ),
        (r"(?:what|such) an? (?:\w+ )?" + _NAMES),
        "i'?m (?:just )?not (?:a )?(?:good|normal|proper|real) (?:person|enough|mother|father|man|woman)",
    ),
    "personalisation": (
        (
            "(?<!not )(?<!n't )(?<!n't been )(?<!never )(?:all |entirely |completely |probably |really )?my (?:own "
            ")?(?:fault|doing)"
        ),
        r"because of (?:me|my \w+|something i|what i)",
        r"i(?:'m| am|'ve been) (?:\w+ )?(?:the (?:reason|cause)|to blame|responsible for|the one who caused)",
        (
            "if (?:only )?i (?:had|'d|hadn'?t|had not|were|was|wasn'?t|weren'?t) "
            + _ANY
            + "(?:would(?:n'?t)?|'d|never have)"
        ),
        r"i (?:\w+ )?(?:made|caused|drove|ruined|pushed) (?:him|her|them|it|my \w+|everyone|the \w+)",
        (
            "i blame myself|it(?:'?s| is| was) (?:all )?on me|down to me|"
            "i brought (?:this|it) on|i must have (?:done|said|upset|caused)"
        ),
        (
            "i should(?:'ve| have) (?:seen|known|stopped|prevented|noticed|been there|done (?:more|something)|"
            "protected|saved|realised)"
        ),
        "i let (?:this|it|that) happen",
    ),
    "blaming": (
        r"(?<!not )(?:all )?(?:his|her|their|your|(?:my|the) (?:\w+ )?\w+'?s'?) (?:own )?fault",
        (
            r"(?:he|she|they|you|my \w+|the \w+|this (?:place|hospital))(?:'s| has| have|'ve)? (?:all )?(?:made me|"
            "makes me|make me|ruined my|wrecked my|destroyed my|drove me|drives me|done this to me|did this to me|"
            r"put me (?:in|here)|(?:is|are|to) (?:\w+ )?blame)"
        ),
        (
            "because of (?:him|her|them|you|my (?:wife|husband|mother|father|mum|dad|parents|family|son|daughter|"
            r"boss|sister|brother|ex)|th(?:e|ese|ose|at) (?:\w+ )?(?:doctors?|nurses?|hospital|staff|people))"
        ),
        (
            r"if (?:it )?(?:(?:wasn'?t|weren'?t|hadn'?t been) for (?:him|her|them|you|my|the)|(?:he|she|they|my \w+|"
            r"the \w+) (?:had(?:n'?t)?|'d)) "
        ),
        r"(?<!n't )(?<!not )blame (?:him|her|them|you|my (?!self)\w+|the \w+|everyone)",
        "(?:he|she|they)(?:'s|'re| is| are) the (?:only )?(?:reason|cause|one|ones)",
    ),
    "unfair_comparison": (
        (
            r"(?:everyone|everybody|every(?:one|body)|all (?:the )?(?:other\w*|my \w+)) (?:else )?(?:\w+ )?(?:else "
            r")?(?:has|have|is|are|can|seems?|manages?|gets?|copes?|knows?|does|do) (?:\w+ ){0,4}?(?:better|fine|"
            r"easily|happy|together|without|already|normal|so|more|strong\w*|faster|perfect|families|it all|on with|"
            "out|well|coping|married|successful)"
        ),
        r"everyone else(?:'s)? (?:\w+ )",
        (
            "(?:other (?:people|patients|women|men|mothers|families)|others|people my age|(?:the|that) (?:other "
            ")?(?:man|woman|lady|patient|one|girl|boy) (?:next|in|across|opposite|over)"
            + _ANY
            + r"|my (?:sister|brother|friends?|cousin|neighbour|classmates)) (?:\w+ )?(?:can|could|has|have|manages?|"
            r"seems?|does|do|is|are|gets?|got|recovered|walks?|would|had|was|were) (?:\w+ ){0,4}?(?:better|easily|"
            r"fine|without|more|faster|sooner|already|so (?:much|well)|twice|half|never|stronger|perfect\w*|well|"
            "everything)"
        ),
        r"compared (?:to|with) (?:\w+ )?(?:them|him|her|everyone|others|other|my|the|people)",
        (
            r"(?:not|never|n't) (?:\w+ )?(?:half )?as (?:good|clever|strong|pretty|smart|brave|successful|happy|\w+) "
            "as"
        ),
        (
            "(?:so much |far |way |all |much )?(?:better|smarter|stronger|cleverer|braver|happier|prettier|younger|"
            r"further ahead|more \w+) than (?:me|i am|i'?ll|i could|mine)"
        ),
        (
            r"(?:i'?m |i am )?the only one (?:here |on the ward |in \w+ )?(?:who|that) (?:can'?t|isn'?t|hasn'?t|"
            "doesn'?t|still|struggles?|fails?)"
        ),
        "(?:i'?m|i am) (?:so |way |years |miles |far )*behind (?:everyone|everybody|them|my|the|where|people)",
        "next to (?:him|her|them|other)",
    ),
}
"""For each label, alternatives that stand between word boundaries."""

CONFIDENCE: Final[Mapping[DistortionId, float]] = {
    "all_or_nothing": 0.35,
    "overgeneralisation": 0.25,
    "mental_filter": 0.3,
    "disqualifying_positive": 0.35,
    "mind_reading": 0.35,
    "fortune_telling": 0.3,
    "magnification": 0.3,
    "emotional_reasoning": 0.35,
    "should_statements": 0.3,
    "labelling": 0.4,
    "personalisation": 0.35,
    "blaming": 0.3,
    "unfair_comparison": 0.35,
}
"""How far to trust a hit: our own cautious order, not calibrated. For scale: bare "always|never" has precision .24."""

"""Tags of what must be found again: allergies, medicines, requests, diets, turns of life. Quoted, not checked."""

from collections.abc import Mapping, Sequence
from typing import Final

from forge_hub.mind.inference import Framework, Inference
from forge_hub.mind.taggers.hints import HintTagger
from forge_language.taxonomy import NoteId

CONFIDENCE: Final = 0.5
"""Of every note. Ours: what is tagged was said in so many words, but how often rightly was not measured."""

_DRUG = (
    r"(?:paracetamol|acetaminophen|ibuprofen|aspirin|morphine|codeine|tramadol|oxycodone|fentanyl|metformin|insulin|"
    r"warfarin|heparin|apixaban|rivaroxaban|clopidogrel|sertraline|fluoxetine|citalopram|escitalopram|paroxetine|"
    r"mirtazapine|venlafaxine|duloxetine|amitriptyline|bupropion|quetiapine|olanzapine|risperidone|aripiprazole|"
    r"clozapine|haloperidol|lithium|lamotrigine|valproate|carbamazepine|levetiracetam|diazepam|lorazepam|alprazolam|"
    r"clonazepam|zopiclone|zolpidem|methadone|buprenorphine|naltrexone|methylphenidate|amlodipine|ramipril|lisinopril|"
    r"enalapril|losartan|bisoprolol|metoprolol|propranolol|atorvastatin|simvastatin|omeprazole|pantoprazole|"
    r"levothyroxine|prednisolone|prednisone|cortisone|salbutamol|furosemide|spironolactone|digoxin|gabapentin|"
    r"pregabalin|methotrexate|tamoxifen|amoxicillin|penicillin|doxycycline|cefalexin|ciprofloxacin|melatonin)"
)
"""Generic names of common medicines, after the WHO Model List of Essential Medicines (2023)."""
_MEDICINE = (
    r"(?:tablets?|pills?|medication|medications|medicines?|meds|doses?|inhaler|painkillers?|antidepressants?|"
    r"sleeping (?:pills?|tablets?)|statins?|blood thinners?|antibiotics?|steroids?|injections?|eye ?drops|patches|"
    r"water tablets|beta ?blockers?|antipsychotics?|" + _DRUG + ")"
)
_FOOD = (
    r"(?:pork|meat|beef|fish|dairy|milk|gluten|wheat|nuts|peanuts|eggs|sugar|shellfish|seafood|lamb|chicken|cheese|bread|"
    r"alcohol|red meat|animal products|soya|soy|grapefruit|anything (?:solid|sweet|spicy|raw))"
)
_IDIOM = (
    r"(?!work|mondays?|mornings|housework|people|exercise|being told|stupid\w*|commitment|him|her\b|them|fun|"
    r"small talk|rules|paperwork|cooking|cleaning|change|nonsense|authority|drama|anything|"
    r"my (?:boss|ex|mother|family))"
)
_DEAR = (
    r"(?:mother|mum|mom|father|dad|parents|sister|brother|son|daughter|husband|wife|partner|boyfriend|girlfriend|"
    r"grandmother|grandfather|gran|grandma|grandpa|granddad|nan|uncle|aunt|cousin|child|baby|best friend|friend|"
    r"fiance|fiancee|stepfather|stepmother|dog|cat|twin|little boy|little girl)"
)

STATED: Final[Mapping[NoteId, tuple[str, ...]]] = {
    "allergy": (
        (
            r"i(?:'m|m| am|'ve been| have been|'ve always been| have always been| was always) <few>(?:allergic|"
            r"intolerant|hypersensitive) to " + _IDIOM + r"[\w-]+(?: (?:and|or) [\w-]+)?"
        ),
        r"i(?:'ve| have)(?: got)? (?:a|an) <few>(?:allergy|intolerance)(?: to [\w-]+(?: (?:and|or) [\w-]+)?)?",
        r"my <few>allergy to [\w-]+",
        r"my [\w-]+ allergy",
        r"i(?:'m| am) <few>(?:lactose|gluten|fructose|histamine|dairy|latex)[ -](?:intolerant|allergic)",
        (
            r"[\w-]+ (?:gives|gave|brings|brought|makes|made) me <few>(?:out in |come out in |break out in )?(?:a "
            r"rash|hives|swell\w*|an allergic|anaphyla\w+)"
        ),
        (
            r"i (?:came|come|break|broke|got|get) (?:out in )?(?:a rash|hives|an allergic reaction) (?:from|after|"
            r"when|with|to) <few>[\w-]+"
        ),
        (
            r"i(?:'ve had| had| have had| go into| went into| get) (?:an )?anaphyla\w+(?: (?:shock|reaction))?(?: "
            r"(?:to|from|after) <few>[\w-]+)?"
        ),
        (
            r"(?:my (?:throat|face|tongue|lips)) <few>(?:swells?|swelled|swell up|closes?) <few>(?:up )?(?:from|"
            r"after|when i (?:eat|take|have)|with) <few>[\w-]+"
        ),
    ),
    "medication": (
        r"i(?:'m|m| am|'ve been| have been) (?:still |back |now |also |already )?(?:on|taking) <few>" + _MEDICINE,
        (
            r"i (?:still |also |always |only |just )*(?:take|took|need|use|have taken|had|get|inject) (?:my |the |a "
            r"|an |some |two |one |three |half a |\d+ |this morning'?s |my morning |my evening |my night |mg of |"
            r"milligrams of )*(?:[\w-]+ )?" + _MEDICINE
        ),
        (
            r"i(?:'ve| have)? (?:already )?(?:taken|missed|forgot|forgotten|skipped|stopped|refuse|refused|came off|"
            r"come off|stopped taking|forgot to take|ran out of|run out of|don'?t want|didn'?t take|haven'?t taken|"
            r"haven'?t had|threw away|spat out|hide|hid) <few>" + _MEDICINE
        ),
        (
            r"(?:they|the doctor|my doctor|the gp|my psychiatrist|he|she) (?:put|started|gave|prescribed|switched|"
            r"took) me <few>(?:on|off|to)? ?<few>" + _MEDICINE
        ),
    ),
    "dietary_need": (
        r"i(?:'m|m| am| have been|'ve been) <few>(?:vegan|vegetarian|pescatarian|coeliac|celiac)",
        (
            r"i (?:don'?t|can'?t|cannot|do not|never|mustn'?t|am not allowed to|'m not allowed to|shouldn'?t) "
            r"(?:eat|drink|have) <few>" + _FOOD
        ),
        (
            r"i (?:only |must |always |have to )*(?:eat|keep|need|have) (?:only )?(?:halal|kosher|vegan|vegetarian|"
            r"gluten[- ]free|sugar[- ]free|lactose[- ]free|soft food|pureed food)"
        ),
        r"i(?:'m| am) fasting|i (?:keep the fast|fast) (?:for|during|in) (?:ramadan|lent|yom kippur)",
        (
            r"i(?:'m| am) on a (?:low|high|no|gluten|diabetic|liquid|soft|strict|special|salt|sugar|kidney|"
            r"renal)[\w -]{0,20}diet"
        ),
    ),
    "key_event": (
        (
            r"(?:my|our) (?:\w+ )?"
            + _DEAR
            + r" (?:has |have |just |recently |suddenly |finally )*(?:died|passed away|passed|was killed|were killed|"
            r"killed (?:him|her)self|drowned|took (?:his|her) own life)"
        ),
        (
            r"(?:i|we)(?:'ve| have)? (?:just |recently )?(?:lost|buried) (?:my|our) (?:\w+ )?"
            + _DEAR
            + r"(?! (?:in the (?:shop|crowd|supermarket)|at cards))"
        ),
        r"since (?:he|she|my \w+) (?:died|passed away)",
        r"(?:his|her|my (?:\w+ )?" + _DEAR + r"'?s?) funeral (?:was|is)",
        (
            r"(?:i|we|my (?:wife|partner|daughter|son|sister|girlfriend))(?:'ve| have| has|'re| are|'m| am| is)? "
            r"(?:just )?(?:had|gave birth to|given birth to|having|expecting) (?:a|our|my|another|their|her|his|"
            r"twins)(?: first| second| third| little| new)? ?(?:baby|child|son|daughter|boy|girl|twins|grandchild|"
            r"grandson|granddaughter)?(?<=baby|hild|.son|hter|.boy|girl|wins)"
        ),
        r"i(?:'m|m| am| was) <few>pregnant",
        (
            r"i(?:'ve| have| just| 've just)? (?:just )?(?:become|became) (?:a |an )(?:mother|father|grandmother|"
            r"grandfather|grandparent|dad|mum|uncle|aunt|widow|widower)"
        ),
        r"(?:i|we|she) (?:had|have had|'ve had|has had) a (?:miscarriage|stillbirth|stillborn)|we lost the baby",
        r"i(?:'ve| have)? (?:just |recently )?(?:lost|quit|left) my job",
        (
            r"i(?:'ve| have)? (?:just |recently )?(?:was|got|been) (?:fired|laid off|sacked|made redundant|let go|"
            r"promoted|evicted|<few>diagnosed with [\w-]+|raped|attacked|assaulted|mugged|arrested|burgled)"
        ),
        (
            r"i(?:'ve| have)? (?:just |recently )?(?:retired|graduated|dropped out|(?:started|got) (?:a|my) new job|"
            r"got the job)(?! to bed)"
        ),
        (
            r"(?:i|we)(?:'ve| have| had to|'re| are|'m| am)? (?:just |recently )?(?:moved|moving|move) (?:house|"
            r"home|out|in with <few>\w+|countries|into (?:a|my|our|the) (?:\w+ )?(?:home|house|flat|apartment|"
            r"hostel)|to (?:another|a new|a different|this) (?:city|town|country|place|flat|house)|abroad)"
        ),
        (
            r"(?:i|we)(?:'ve| have)? (?:just )?(?:sold|lost|had to sell|had to leave) (?:my|our|the) (?:home|house|"
            r"flat|farm)|i(?:'m| am|'ve become| became) homeless"
        ),
        (
            r"my (?:husband|wife|partner|boyfriend|girlfriend|fiance|fiancee) (?:has |just |recently )*(?:left me|"
            r"walked out on me|divorced me|moved out|cheated on me|wants a divorce)"
        ),
        (
            r"(?:we|i)(?:'re| are|'ve| have|'m| am|'ve just| just)? (?:just |recently |getting |got |getting a |got "
            r"a )*(?:divorced?|separated|split up|broke up|broken up)(?: with (?:my )?\w+)?"
        ),
        r"(?:we|i)(?:'re| are|'ve| have|'m| am)? (?:just )?(?:got|getting) (?:married|engaged)",
        (
            r"i(?:'ve| have)? (?:just )?had (?:a|my|an) (?:first |second |bad |serious |car )*(?:stroke|heart "
            r"attack|accident|amputation|transplant)"
        ),
        (
            r"(?:they|the doctors?|the scan|he|she) (?:have |has |'ve )?(?:found|told me i have|says i have|said i "
            r"have) <few>(?:tumou?r|cancer|a lump|dementia|parkinson'?s|leukaemia|leukemia)"
        ),
        r"(?:going|went) through (?:a|my|the|our) (?:divorce|separation|break-?up)",
        r"my (?:husband|wife|partner) <few>(?:wants|asked for|filed for) a divorce",
        r"(?:a|our) baby on the way",
        r"(?:the|my) cancer (?:is|has come|came|'s come|'s) back",
    ),
}
"""Statements by tag, in our own words."""

ASKED: Final[Mapping[NoteId, tuple[str, ...]]] = {
    "care_request": (
        (
            r"(?:can|could|would|will) (?:you|somebody|someone|the nurse|a nurse|anyone|one of you) <few>(?:please "
            r")?(?:bring|get|fetch|open|close|shut|turn|adjust|raise|lower|change|move|check|lift|sit|fill|call|"
            r"ring|refill|dim|switch|help me (?:to |up|sit|get|wash|dress|with|turn|eat|into|out)|give me (?:a|an|"
            r"some|something|my|another|the)|tell the (?:nurse|doctor)|ask the (?:nurse|doctor))"
        ),
        (
            r"(?:can|could|may) i (?:please )?(?:have|get|see|speak to|talk to) (?:a|an|some|something|my|another|"
            r"the|more) <few>(?:nurse|doctor|chaplain|water|drink|tea|coffee|blanket|pillow|painkiller\w*|tablets?|"
            r"food|sandwich|towel|tissues?|glasses|phone|pain|sleep|visitor|social worker|interpreter|psychologist|"
            r"bedpan|walker|wheelchair)"
        ),
        (
            r"(?:please )(?:bring|get|help|fetch|open|close|shut|turn|call|ring|give|change|move|raise|lower|check) "
            r"(?:me|the|my|a|somebody|someone|it|down|off|on|up)(?! (?:some |any )?(?:advice|hope|tips|save my))"
        ),
        (
            r"i(?:'d| would) (?:like|love) (?:to (?:see|speak to|talk to|have|go to|sit|lie|be (?:washed|moved|"
            r"turned|helped))|a|an|some|another|my) <few>(?:nurse|doctor|chaplain|priest|imam|water|drink|tea|"
            r"coffee|blanket|pillow|painkiller\w*|tablets?|food|toilet|bathroom|shower|bath|bed|chair|window|towel|"
            r"up|down|washed|moved|turned|helped|glasses|phone|social worker|interpreter)"
        ),
        (
            r"i (?:really |just )?need (?:the toilet|the loo|the bathroom|the bedpan|a nurse|the nurse|a doctor|the "
            r"doctor|a drink|some water|water|a blanket|another blanket|another pillow|a pillow|an interpreter|"
            r"something for (?:the|my) (?:pain|sleep|nausea)|a painkiller|painkillers|to go to the (?:toilet|loo|"
            r"bathroom)|help (?:getting|with|to)|someone to (?:help|bring|sit|come|change|turn)|my glasses|my "
            r"hearing aids?|changing|to be (?:washed|moved|turned|changed))"
        ),
        (
            r"i want (?:the nurse|a nurse|to see (?:the|a|my) (?:nurse|doctor|chaplain)|to speak to (?:the|a|my) "
            r"(?:nurse|doctor)|a drink|some water|to go to the (?:toilet|bathroom)|a blanket)"
        ),
    ),
}
"""Requests, which may be questions."""


class NoteTagger:
    """Notes in what somebody says of themselves. Implements `forge_hub.mind.inference.Tagger`. Not validated."""

    framework: Final[Framework] = "note"
    signature = HintTagger.signature

    def __init__(self) -> None:
        self._readers = (
            HintTagger("note", STATED, confidence=CONFIDENCE),
            HintTagger("note", ASKED, confidence=CONFIDENCE, reads_questions=True),
        )

    def infer(self, texts: Sequence[str]) -> list[tuple[Inference, ...]]:
        """Return the notes of each text by place."""
        found = [reader.infer(texts) for reader in self._readers]
        return [
            tuple(
                sorted((each for part in parts for each in part), key=lambda each: (each.start, each.end, each.label))
            )
            for parts in zip(*found, strict=True)
        ]

"""What an utterance may hint at of attachment: an end of one of two axes, never a style."""

from collections.abc import Mapping
from typing import Final

from forge_hub.mind.taggers.hints import HintTagger
from forge_language.taxonomy import AttachmentHintId

CUES: Final[Mapping[AttachmentHintId, tuple[str, ...]]] = {
    "anxiety_high": (
        (
            r"(?:afraid|scared|terrified|worried|worry|fear|panic|frightened|convinced|certain) <any>(?:(?:leaves?|"
            r"leaving|abandons?|abandoning|rejects?|rejecting|drops?|forgets?|forgetting) me|be left|being left|be "
            r"abandoned|being abandoned|losing (?:him|her|them)|lose (?:him|her|them)|(?:gets?|getting) tired of me|"
            r"stops? (?:loving|wanting|liking) me|leave me)"
        ),
        (
            r"(?:if|when|whenever) <they> (?:doesn'?t|don'?t|didn'?t|does not|takes? (?:so )?long to|is late to) "
            r"<few>(?:reply|text|answer|call|write|pick up|message)"
        ),
        (
            r"i <so>(?:need|keep asking|ask|have to ask|kept asking) <any>(?:reassur\w+|if <they> (?:still "
            r")?(?:loves?|cares?|wants?)|whether <they> (?:still )?(?:loves?|cares?|wants?)|to hear that <they>)"
        ),
        r"i (?:always |keep |constantly |often )*(?:check|checking) <few>(?:my|his|her) phone",
        r"i (?:always |keep |constantly |often )+(?:watch|watching|look|looking) <few>(?:for signs|his face|her face)",
        r"i(?:'m| am| get| was| can be) <so>(?:clingy|needy|jealous)",
        r"i cling to|i <few>find myself <so>jealous",
        r"(?:afraid|scared|terrified|frightened) (?:to be|of being) <so>(?:alone|single|left)",
        r"<they> (?:doesn'?t|don'?t|does not) <few>love me <few>(?:as much|anymore|any more|enough|the way|really)",
        r"i <so>(?:love|need|care about|want) <them> more than <they> (?:loves?|needs?|cares?|wants?)",
        r"(?:please )?don'?t leave me(?: alone)?",
        r"i <cannot> <few>(?:be alone|bear being alone|stand being alone|be without <them>|sleep when <they>)",
        r"(?:he|she|they|everyone|people)(?:'ll| will) <few>(?:leave|abandon|forget) me",
    ),
    "anxiety_low": (
        (
            r"i (?:don'?t|never|rarely|do not) <few>worry <few>(?:being left|being alone|being abandoned|<they> "
            r"(?:will |might |'ll )?(?:leave|leaving|losing interest)|los(?:e|ing) <them>|about us)"
        ),
        (
            r"i (?:know|trust|am sure|'m sure) (?:that )?<they>(?: will|'ll| would|'d) <few>(?:come back|be there "
            r"for me|still love me|never leave|stand by me)"
        ),
        (
            r"(?:it'?s|it is) (?:fine|ok|okay|all right|alright) (?:with me |for me )?(?:when|if) <they> (?:goes "
            r"away|is away|are away|has to go|travels|needs? (?:some )?(?:time|space))"
        ),
        r"<am> <so>(?:secure|sure|confident|certain) (?:in|of|about) <few>(?:love|marriage|relationship|us)",
        r"<am> <so>(?:safe|secure) (?:with|in) (?:him|her|us|our|my (?:relationship|marriage|husband|wife|partner))",
        (
            r"i (?:can|could) be (?:on my own|alone|by myself) <few>(?:without worrying|and (?:feel )?fine|and "
            r"(?:it'?s|that'?s) (?:fine|ok))"
        ),
    ),
    "avoidance_high": (
        (
            r"i <dont> <few>(?:need|rely on|depend on|lean on|ask) (?:anyone|anybody|other people|people|nobody|"
            r"help from|someone)(?! to (?:bring|get|wash|drive|carry|move))"
        ),
        (
            r"i(?:'d| would)? (?:prefer|rather|like|always|usually|tend to) <few>(?:keep|deal|cope|handle|manage|"
            r"sort) <any>(?:to myself|on my own|by myself|alone)"
        ),
        r"i keep <any>(?:at a distance|at arm'?s length|to myself)",
        (
            r"i <so>(?:pull|pulled|back|push|pushed|shut|walk|run) <few>(?:away|off|out|back) <few>(?:when|if|as "
            r"soon|from (?:people|anyone|him|her|them)|whenever)"
        ),
        r"(?:i|and) <so>(?:push|pushed) (?:people|everyone|everybody) away",
        r"i (?:push|shut|keep) (?:people|everyone|everybody|others|<them>) <few>(?:away|out|off)",
        (
            r"(?:when|if|whenever|as soon as|once|the moment) (?:someone|people|somebody|anyone|he|she|they|it|"
            r"things) (?:gets?|got|comes?|came) (?:too |so |really )?close"
        ),
        (
            r"i (?:don'?t|can'?t|cannot|never|find it hard to|hate to|struggle to|do not) <few>(?:open up|let "
            r"<people> in|confide|show (?:people )?(?:my )?feelings|talk about (?:my )?(?:feelings|emotions)|let "
            r"<people> (?:get )?(?:close|near))"
        ),
        r"i(?:'m| am) <so>(?:better|happier|best) (?:off )?(?:alone|on my own|by myself)",
        (
            r"i (?:don'?t|do not|never) <few>(?:like|want) <people> <few>(?:getting|coming|being|to get|to come) "
            r"(?:too )?close"
        ),
        (
            r"(?:closeness|intimacy|being close|getting close|hugs?|affection) <few>(?:makes?|feels?|gives?) "
            r"<few>(?:uncomfortable|nervous|trapped|suffocat\w+|awkward|the creeps|uneasy)"
        ),
        r"i (?:need|value|want) <few>(?:independence|distance)|i need (?:a lot of |lots of |my )space",
    ),
    "avoidance_low": (
        (
            r"i (?:can|could always|can always|feel able to|find it easy to|like to|am able to) <few>(?:open up|"
            r"talk|tell|lean on|turn|rely on|depend on|confide in|count on) <few>(?:to )?(?:him|her|them|my \w+|"
            r"others|friends|about anything|everything)"
        ),
        r"i tell (?:him|her|my \w+) everything",
        (
            r"(?:being close|closeness|opening up|trusting people|trusting others) <few>(?:comes|feels|is) "
            r"<few>(?:easy|easily|good|safe|natural\w*)"
        ),
        r"<am> <so>comfortable (?:being close|with closeness|depending on|relying on|asking (?:for help|my \w+))",
        (
            r"(?:when|if|whenever) i(?:'m| am| feel) <so>(?:upset|sad|scared|ill|down|hurt|afraid|in trouble|"
            r"worried) i <so>(?:go to|call|turn to|ring|talk to|phone)"
        ),
        r"we (?:can )?(?:talk about|share|tell each other) (?:everything|anything)",
        r"i like (?:being|to be|feeling) close to",
    ),
}
"""Signs by axis. Ours, after what the axes mean in Brennan, Clark & Shaver (1998); no item of the ECR is used."""


class AttachmentTagger(HintTagger):
    """Hints at attachment anxiety and avoidance. Not validated."""

    def __init__(self) -> None:
        super().__init__("attachment", CUES)

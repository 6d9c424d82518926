"""What a user tells of themselves, found by rules in English and Chinese: certain rather than complete."""

from __future__ import annotations

import re
from collections.abc import Iterator

from linly.text.language import HAN

KINDS = ("name", "place", "origin", "job", "likes", "dislikes", "note")
"""Name, where they live, where they come from, what they do, tastes, and what they asked to be remembered."""
LONGEST = 200
"""characters of one fact"""
_ONE = ("name", "place", "origin", "job")
"""of these there is one at a time: the new takes the old one's place"""

_NOT = (
    r"(?!(?:not|no|none|on|in|at|the same|a|an|what|whatever|that|this|it|you|him|her|them|too|so|very|important|hard|"
    r"easy|difficult|long|short|common|unusual|here|there|when|how|if|to be)\b)"
)
_JOBS = (
    "teacher|professor|lecturer|tutor|student|pupil|doctor|nurse|dentist|pharmacist|engineer|programmer|developer|designer|"
    "architect|lawyer|accountant|manager|director|secretary|clerk|cashier|salesman|saleswoman|writer|author|journalist|"
    "editor|translator|interpreter|artist|painter|musician|singer|actor|actress|photographer|chef|cook|baker|waiter|"
    "waitress|farmer|gardener|driver|pilot|mechanic|electrician|plumber|carpenter|builder|cleaner|hairdresser|scientist|"
    "physicist|chemist|biologist|mathematician|researcher|psychologist|therapist|librarian|policeman|policewoman|"
    "firefighter|soldier|postman|consultant|analyst|economist|banker|vet|retiree|pensioner|housewife|freelancer"
)
_WORK = (
    "老师|老師|教师|教師|教授|讲师|講師|学生|學生|研究生|大学生|大學生|医生|醫生|大夫|护士|護士|药师|藥師|工程师|工程師|程序员|程式員|设计师|設計師|"
    "建筑师|建築師|律师|律師|会计|會計|经理|經理|主任|秘书|秘書|文员|店员|销售|銷售|作家|记者|記者|编辑|編輯|翻译|翻譯|画家|畫家|音乐家|音樂家|歌手|演员|演員|"
    "摄影师|攝影師|厨师|廚師|服务员|農民|农民|司机|司機|飞行员|飛行員|工人|理发师|理髮師|科学家|科學家|研究员|研究員|警察|消防员|消防員|军人|軍人|公务员|公務員|"
    "快递员|外卖员|主播|博主|老板|老闆|退休教师|家庭主妇|自由职业者"
)
_PARTS = {
    "<not>": _NOT,
    "<here>": r"(?:the (?=(?-i:[A-Z])))?(?!the\b|my\b|our\b)" + _NOT,
    "<words>": r"[\w' -]{2,50}?",
    "<proper>": r"[^\W\d_][\w' -]{0,40}?",
    "<end>": r"(?=\s*(?:[,.;:!?]|$|\b(?:and|but|so|because|since|now|last|this|recently|by the way)\b))",
    "<work>": _JOBS,
    "<I>": "(?:^|(?<=[，,、 ]))我(?:现在|現在|目前|一直|也|就|都|是|本来|本來)?",
    "<han>": f"[{HAN}]",
    "<latin>": "[A-Za-z][A-Za-z ]{0,25}?",
    "<tail>": r"(?=$|[，,。.；;！!、 ]|吧|啊|呀|哦|呢|啦|哈|嘛|就好|就行|就可以)",
    "<odd>": "(?![你您他她它这這那哪谁誰啥么麼不没沒了过過]|什么|什麼|怎么|怎麼|自己|一个|一個)",
    "<one>": "(?:一?(?:名|位|个|個))?",
    "<工作>": _WORK,
}
"""Pieces of the rules below."""
_ENGLISH = (
    ("name", r"(?<![\w' ])(?:^|\b)my name(?:'s| is) (?:now )?<not>(<proper>)<end>"),
    ("name", r"^(?:(?:and|but|so|please|you can|just|everyone|everybody|people|they) )*calls? me <not>(<proper>)<end>"),
    ("name", r"\bi(?:'m| am) called <not>(<proper>)<end>"),
    ("name", r"^(?:hi|hello|hey)\b,?(?: there,?)? i(?:'m| am) (?-i:([A-Z][\w'-]+(?: [A-Z][\w'-]+)?))<end>"),
    ("place", r"\bi (?:now |currently |still )?live in <here>(<proper>)<end>"),
    ("place", r"\bi(?:'ve| have)? (?:just )?moved to <here>(<proper>)<end>"),
    ("origin", r"\bi(?:'m| am| come) (?:originally )?from <here>(<proper>)<end>"),
    ("job", r"\bi (?:now |currently )?work as (?:an? |the )?(?!well\b|hard\b|usual\b)(<words>)<end>"),
    ("job", r"\bi(?:'m| am) (?:now )?an? ((?:[\w-]+ ){0,2}(?:<work>))\b(?! of\b| who\b)"),
    ("job", r"\bmy (?:job|profession|occupation) is (?:an? )?<not>(<words>)<end>"),
    (
        "dislikes",
        r"\bi (?:really |just )?(?:do not like|don't (?:really )?like|dislike|hate|can't stand) <not>(<words>)<end>",
    ),
    ("likes", r"\bi (?:really |also |just |do )?(?:like|love|enjoy) (?!your?\b|these\b|those\b)<not>(<words>)<end>"),
    ("likes", r"\bmy (favou?rite <words> is <words>)<end>"),
)
_CHINESE = (
    ("name", "<I>(?:的名字)?(?:改名)?叫(?:做|作)? ?<odd>(?![车車外醒]|大家|人)(<han>{2,4}?|<latin>)<tail>"),
    ("name", "我的名字(?:就)?是 ?<odd>(<han>{2,4}?|<latin>)<tail>"),
    ("name", "^(?:以后|以後)?[你您]?(?:们|們)?(?:可以|就|请|請)*叫我(?:做)? ?<odd>(<han>{2,4}?|<latin>)<tail>"),
    ("name", "大家都?叫我((?:小|老|阿)<han>{1,2}?)<tail>"),
    ("name", "<I>(姓<odd><han>{1,2}?)<tail>"),
    (
        "place",
        "<I>(?:们|們|家)?(?:搬到|住在|住(?!在))了? ?<odd>(<han>{2,12}?|<latin>)(?:了|去了|那边|这边)?<tail>",
    ),
    ("place", "<I>家在 ?<odd>(<han>{2,12}?|<latin>)<tail>"),
    ("origin", "<I>(?:来自|來自) ?<odd>(<han>{2,12}?|<latin>)<tail>"),
    ("origin", "<I>是(<han>{2,5})(?<![好男女老本坏壞工个個情爱愛家机機])人<tail>"),
    ("job", "<I>(?:是|当|當)<one>(<han>{0,8}(?:<工作>))<tail>"),
    ("job", "我的(?:工作|职业|職業)是<one><odd>(<han>{2,12}?)<tail>"),
    ("job", "<I>(在<odd><han>{2,15}(?:工作|上班|上学|上學|读书|讀書|教书|教書))<tail>"),
    ("likes", "我(最喜[欢歡]的<han>{1,6}是<odd><han>{1,12}?)<tail>"),
    (
        "dislikes",
        "<I>(?:最|很|特别|特別|非常)?(?:不(?:太|怎么|怎麼)?喜[欢歡]|不爱|不愛|讨厌|討厭) ?<odd>"
        "(<han>{1,15}?|<latin>)<tail>",
    ),
    (
        "likes",
        "<I>(?:很|最|特别|特別|非常|超|比较|比較|挺|真的|还|還|平时|平時)*(?:喜[欢歡]|热爱|熱愛|爱|愛) ?<odd>(?!的)"
        "(<han>{1,15}?|<latin>)<tail>",
    ),
)


def _compiled(rules: tuple[tuple[str, str], ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (kind, re.compile(re.sub("<[a-zA-Z工作]+>", lambda m: _PARTS.get(m[0], m[0]), rule), re.I))
        for kind, rule in rules
    )


_RULES = (*_compiled(_ENGLISH), *_compiled(_CHINESE))
_REMEMBER = re.compile(
    r"^(?:please |also |and |ok,? |okay,? |so )*(?:(?:can|could|will|would) you (?:please )?)?"
    r"(?:remember|note|keep in mind|don't forget|do not forget)(?:,? please,?)?(?: that\b|:|,)? +"
    r"(?!when\b|how\b|what\b|who\b|where\b|why\b|me\b|us\b|the time\b|to$|that$)(?P<en>\S+ .*\S)"
    "|^(?:请|請|麻烦|麻煩|也|还有|還有|帮我|幫我|你|您|一定|要|得)*"
    "(?:[记記](?:住|着|著|得|一下)|[别別]忘了?|不要忘了?)(?!了?[吗嗎]|我$)(?:了)?[，,：: ]*(?P<zh>.{2,})",
    re.I,
)
_ASKS = re.compile(r"[?？]\s*$|[吗嗎]\s*[。.]?$|^(?:do|did|is|are|what|who|where|when|why|how|can|could|if)\b", re.I)
_DOUBT = re.compile(r"如果|要是|假如|假设|不知道|\b(?:if|pretend|imagine|suppose|he said|she said|they said)\b", re.I)


_GOES_ON = re.compile("(?:现在|現在)?(?:住在|来自|來自|不?喜[欢歡]|是一?[名位个個]|在.+工作)")
_AFTER = re.compile(r"\s+(?:too|now|as well|very much|a lot|though|please)$", re.I)


def told(text: str) -> list[tuple[str, str, str]]:
    """What the user tells in one turn: (kind, text, slot) each, in the order told. A question tells nothing."""
    found: dict[str, tuple[str, str, str]] = {}
    for sentence in _sentences(text):
        asked = _REMEMBER.match(sentence)
        if asked and (asked["en"] or not sentence.endswith(("吗？", "吗?", "嗎？", "没有？"))):
            content = (asked["en"] or asked["zh"]).rstrip(" .。!！?？")
            facts = list(_rules(content)) or [("note", content[:LONGEST])]
        elif _ASKS.search(sentence) or _DOUBT.search(sentence):
            continue
        else:
            facts = list(_rules(sentence))
        for kind, value in facts:
            place = slot(kind, value)
            found.pop(place, None)
            found[place] = (kind, value, place)
    return list(found.values())


def slot(kind: str, text: str) -> str:
    """Where a fact belongs: what is put into the same slot takes the old one's place."""
    if kind in _ONE:
        return kind
    text = " ".join(text.casefold().split())
    best = re.match(r"(favou?rite .+?) is |(最喜[欢歡]的.+?)是", text)
    if best:
        return f"taste:{(best[1] or best[2]).replace('favor', 'favour').replace('favouur', 'favour')}"
    return f"{'note' if kind == 'note' else 'taste'}:{text}"


def _sentences(text: str) -> Iterator[str]:
    for found in re.findall(r"[^。！？!?；;\n]*?(?:[。！？!?；;\n]|\.(?=\s|$)|$)", text.replace("’", "'")):
        piece = " ".join(found.split())
        clauses = re.split("([，,])", piece)
        for i in range(2, len(clauses), 2):  # "我叫李明，住在杭州": still of the speaker
            if piece.startswith("我") and re.match(
                "(?:现在|現在)?(?:住在|来自|來自|喜[欢歡]|不喜[欢歡]|是一?[名位个個]|在.+工作)", clauses[i]
            ):
                clauses[i] = "我" + clauses[i]
        yield "".join(clauses)


def _rules(sentence: str) -> Iterator[tuple[str, str]]:
    hits = []
    for kind, rule in _RULES:
        for match in rule.finditer(sentence):
            value = re.sub(
                r"\s+(?:too|now|as well|very much|a lot|though|please)$", "", match[1].strip(" ,，、-'"), flags=re.I
            )
            if value and len(value.split()) <= 9:
                hits.append((match.start(1), kind, value))
    taken: set[int] = set()
    for at, kind, value in sorted(hits, key=lambda hit: hit[0]):
        if at not in taken:
            taken.add(at)
            yield kind, value

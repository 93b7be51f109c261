"""Words of questions that ask for the same thing: what a paraphrase may exchange, and what it may never.

A short table of general English, made by hand. It is deliberately strict: "mother" and "father", "born" and "died"
are near in every embedding and far apart in every answer, so only words of one line below stand for each other.
"""

from __future__ import annotations

import re

from index.words import stem

# One line: one concept; its first word names it.
_SAME = """
birth born
death die died dies dying dead deceased
found founded founder founders founding establish established
create created creator creators
direct directed director directors directing
write wrote written writes writing writer writers author authors authored penned
compose composed composer composers
design designed designer designers designing
build built builder builders constructed construct construction erected
invent invented inventor
discover discovered discoverer
paint painted painter
perform performed performer performers sang sung sing singer singers
produce produced producer producers
edit edited editor
lead led leader leaders head headed
command commanded commander
star starred starring stars
play played plays player players
win won wins winner winners
spouse wife husband marry married
mother mum mom
father dad
child children kid kids
sibling siblings
teach taught teaches teacher teachers
study studied studies educated education attend attended train trained training
work works worked employ employs employed employees employee employer staff
cost costs price prices priced fee fees charge charges pay paid pays
weight weigh weighs weighed heavy
length long
height tall high
depth deep
width wide
age old
live lived lives living reside resided resides residence
begin began begun begins begin start started starts starting commence commenced
end ended ends ending finish finished
open opened opens opening inaugurated
happen happened happens occur occurred occurs held hold holds
publish published publishes publisher released release issued
own owned owner owners owns
keep keeps kept
carry carried carries
cross crosses crossed
flow flows flowed
show shown shows depicts depicted
host hosts hosted
know known famous famed
make made maker makers makes making
population inhabitants residents
film movie films movies picture
company firm
job occupation profession career
pupil student pupils students
captain skipper
town towns
country nation
television tv
large big
leave leaves left depart departs departed
need needs needed require required requires
contain contains contained
""".strip().splitlines()

CONCEPTS = {word: line.split()[0] for line in _SAME for word in line.split()}
_LINES = {line.split()[0]: tuple(line.split()) for line in _SAME}

# Words that carry nothing by themselves in a question.
LIGHT = frozenset(
    (
        "please tell know say said let exactly actually just really name names named called call titled entitled "
        "person people someone somebody individual thing one ones kind type sort located situated location place "
        "lie lies lay based base take took takes taken come came comes go went gone get got give gives given find "
        "by whom who whose ever question answer "
        "us me i want would like wonder wondering find out look looking information do did does year date day time "
        "total currently now number amount"
    ).split()
)

# Words whose change changes the answer: both questions must hold the same ones.
_EXACT = """
not no never without except neither nor n't
first firstly initially
last final finally
second
third
next following
previous former earlier before prior
later after since
between
until till
more most longer longest larger largest bigger biggest higher highest taller tallest older oldest
less least fewer fewest shorter shortest smaller smallest lower lowest younger youngest
only sole
both
same
different
other another else
all every each
half double twice
current currently
north northern
south southern
east eastern
west western
""".strip().splitlines()
EXACT = {word: number for number, line in enumerate(_EXACT) for word in line.split()}
del EXACT["currently"]

# Concepts that stand in a chain ("the father of the director of ..."): their order matters.
RELATIONS = frozenset(
    (
        "mother father child son daughter spouse sibling brother sister direct write compose design found "
        "perform produce teach pupil captain command lead own work edit build make create invent"
    ).split()
)

# The same question in other grammar, brought to one form before words are compared.
REWRITES = tuple(
    (re.compile(pattern, re.I), by)
    for pattern, by in (
        (r"\b(?:what['’]s|what['’]re)\b", "what is"),
        (r"\b(?:who['’]s)\b", "who is"),
        (r"\b(?:where['’]s)\b", "where is"),
        (r"\b(?:when['’]s)\b", "when is"),
        (r"n['’]t\b", " not"),
        (r"^\W*(?:(?:could|can|would) you (?:please )?|please )?(?:tell (?:me|us)|say|let me know|give me|name|"
         r"do you know|i(?:['’]d| would) like to know|i want to know|i wonder)[,:]?\s+(?=\w)", ""),
        (r"\bbirthplace\b", "place of birth"),
        (r"\b(?:birth date|birthdate|birthday|birth day)\b", "date of birth"),
        (r"\b(?:for|what (?:is|was)) (?:what|the) reason\b|\bhow come\b", "why"),
        (r"\bhow many (?:people|persons|inhabitants|residents) (?:live|lived|does|do)\b",
         "what is the population number of"),
        (r"\bnumber of (?:inhabitants|residents|people (?:living|who live))\b", "population number"),
        (r"\bhow long\b", "what is the length of"),
        (r"\bhow (?:tall|high)\b", "what is the height of"),
        (r"\bhow deep\b", "what is the depth of"),
        (r"\bhow wide\b", "what is the width of"),
        (r"\bhow old\b", "what is the age of"),
        (r"\bhow heavy\b", "what is the weight of"),
        (r"\bhow much (?:does|do|did)\b(?=.*\bweigh)", "what is the"),
        (r"\bhow much (?:is|are|was|were)\b", "what is the price of"),
        (r"^(?=(?:the|an?) \w+ (?:of|that|which|who)\b)", "what is "),
        (r"\bhow many\b", "what number of"),
        (r"\bin (?:what|which) place\b", "where"),
        (r"\bat (?:what|which) (?:time|point in time)\b", "when"),
        (r"\bon (?:what|which) date\b", "when"),
        (r"\b(?:passed|pass) away\b", "died"),
        (r"\b(?:took|take|takes) place\b", "happened"),
        (r"\b(?:set up)\b", "founded"),
        (r"\bmotion picture\b", "film"),
    )
)  # fmt: skip


def concept(word: str) -> str:
    """What a word stands for in a question: its line of the table, else its stem.

    >>> concept("designer"), concept("wrote"), concept("lighthouses")
    ('design', 'write', 'lighthous')
    """
    return CONCEPTS.get(word) or CONCEPTS.get(stem(word)) or stem(word)


def other_words(word: str) -> tuple[str, ...]:
    """Words that say the same, one of each stem: what a document may use in place of a question's word.

    >>> other_words("worked"), other_words("lighthouse")
    (('employ', 'employees', 'staff'), ())
    """
    own = CONCEPTS.get(word) or CONCEPTS.get(stem(word))
    found: dict[str, str] = {}
    for other in _LINES.get(own or "", ()):
        found.setdefault(stem(other), other)
    found.pop(stem(word), None)
    return tuple(found.values())

"""Words that say how one asks, not what one asks for.

FTS5 has no stop list of its own, and without one a question would score nearly every passage of the index.
"""

STOP_WORDS = frozenset(
    (
        "a about also am an and any are as at be been being between both but by can could did do does "
        "either for from had has have he her hers him his how i if in into is it its many me more most "
        "much my no not of on or other our same she should so some such than that the their them then "
        "there these they this those to us was we were what when where which who whom whose why will with "
        "would you your"
    ).split()
)

"""Coined names: pleasant to read, unique in their world, and never one letter away from another."""

from __future__ import annotations

from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ONSETS = _words(
    "b b br c cl d d dr f fl g gr h h j k l l m m n n p pr qu r s s sk st t t th tr v v w y z sh gl"
)
_VOWELS = _words("a a a a e e e e i i i o o o o u u au")
_MIDDLES = _words(
    "ld lm ln lv mb nd nn nt rd rk rl rm rn rr rv sk sp ss st tt vr ll mm l m n r v d t s k g br dr tr"
)
_ENDINGS = {
    "first": _words("a a e i o an en in is on us el ea ine ara ora ette ric win mund bert"),
    "last": _words(
        "ane ard eck ell enko erly et ick ild ing isk oe olt or osk ott ow und usk by sen mar zer"
    ),
    "place": _words("a a ary en eth is ora on or oss um une ell ane mere holt wick stad haven sund gate"),
    "water": _words("a ane e el en ess ine or ow une ush yr il"),
}
# Coined syllables sometimes land on a real name or word; these were seen in practice.
_REAL = frozenset(
    _words("""
    albert andorra anna anton aurora barbara berlin bernard brian clara dalia dana daria diana dora edna
    elena elgin emma erin florida flora freda geneva gina gloria greta hanna harold helen herbert hilda
    india ines irene irma ivan julia karen karin kiel klara lara latvia laura lena leon lima linda lisa
    lora lorena luna madonna malta marcus maria marie marina mario martin mecca medina melissa milan
    mira moldova monica nadia nancy nepal nevada nora norma oman paula perth peter petra prussia regina
    rita robert roland roma rosa rosen russia sandra sara sarah siena sierra silas sofia sonia stella
    sudan susan svend syria tara tessa theodora tina toledo torino trent trieste troy turin valencia vera
    verona victor vienna viola walter warren warsaw william wilma yalta yemen zara zora derby selby whitby
    corby trinity standing meeting morning evening wedding weather
    """)
)
_RUDE = _words("shit dick fuk nig tit cum ass fag kun cock wank sex nazi rap")
_PREFIX = 4


class NameMaker:
    """Coins names from a seeded generator and remembers every one it gave out."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._signatures: set[str] = set()
        self._prefixes: set[str] = set()
        self._titles: set[str] = set()
        self._endings: dict[str, list[str]] = {}
        self._misses = 0
        self._extra = 0  # syllables added once the short names run out

    @classmethod
    def after(cls, other: NameMaker) -> NameMaker:
        """A maker of names that `other` has not given out; `other` stays as it is."""
        copy = cls(Random("forage-names/after"))
        copy._signatures, copy._prefixes = set(other._signatures), set(other._prefixes)
        copy._titles, copy._extra = set(other._titles), other._extra
        return copy

    def coin(self, style: str) -> str:
        """A new word of the style "first", "last", "place" or "water", capitalised."""
        while True:
            word = self._word(style)
            if self._is_new(word):
                self._misses = 0
                self._endings[style].pop()
                return word.capitalize()
            self._misses += 1
            self._rng.shuffle(self._endings[style])
            if self._misses > 200:  # that part of the name space is full: allow longer names
                self._extra, self._misses = self._extra + 1, 0

    def pick_title(self, first: tuple[str, ...], second: tuple[str, ...], pattern: str) -> str:
        """A unique title like "The {} {}" from two word lists; a coined name helps when they run out."""
        for _ in range(40):
            title = pattern.format(self._rng.choice(first), self._rng.choice(second))
            if title not in self._titles:
                break
        else:
            title = f"{title} of {self.coin('place')}"
        self._titles.add(title)
        return title

    def _word(self, style: str) -> str:
        rng = self._rng
        word = rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_MIDDLES)
        for _ in range(self._extra + (rng.random() < 0.25)):
            word += rng.choice(_VOWELS) + rng.choice(_MIDDLES)
        if not self._endings.get(style):  # each ending once before any comes again: more variety
            self._endings[style] = rng.sample(_ENDINGS[style], len(_ENDINGS[style]))
        ending = self._endings[style][-1]
        if ending[0] not in "aeiouy":  # a consonant ending wants one consonant before it, and a short stem
            word = word[:-1] if len(word) > 4 and word[-1] == word[-2] else word
            if _cluster(word) > 1:
                word += "e" if style == "last" else "a"
        return word + ending

    def _is_new(self, word: str) -> bool:
        if not 5 <= len(word) <= 9 + 3 * self._extra or word in _REAL or not _pronounceable(word):
            return False
        if not self._extra and word[:_PREFIX] in self._prefixes:
            return False
        signature = _signature(word)
        if not self._signatures.isdisjoint(signature):
            return False
        self._signatures |= signature
        self._prefixes.add(word[:_PREFIX])
        return True


def _cluster(word: str) -> int:
    """Length of the run of consonants at the end of `word`."""
    run = 0
    for letter in reversed(word):
        if letter in "aeiouy":
            break
        run += 1
    return run


def _pronounceable(word: str) -> bool:
    run, vowels = 0, 0
    for letter in word:
        vowel = letter in "aeiouy"
        run, vowels = (0, vowels + 1) if vowel else (run + 1, 0)
        if run > 3 or vowels > 2:
            return False
    if max(word.count(letter) for letter in word) > 2 or (word.count("r") > 1 and "rr" in word):
        return False  # "Prerritz" and "Krorrisk" are hard on the tongue
    return not any(pair in word for pair in (*_RUDE, "yy", "uu", "ii", "iy", "kw", "quu", "shk", "zz", "yv"))


def _signature(word: str) -> set[str]:
    """The word and all its one-letter deletions: two words that share one are at most two edits apart."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}

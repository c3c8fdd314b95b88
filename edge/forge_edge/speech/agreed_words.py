"""Words that staff and a person can agree on, so that the room knows who speaks.

The room holds only the hash of the word, and a recogniser must still know what to listen for: so the word is one of
these. They are common, of two or more syllables, and unlike each other. That one is said right by chance is unlikely,
not impossible: it tells a visitor from the person, and keeps no secret from somebody who tries.
"""

AGREED_WORDS: tuple[str, ...] = (
    *("anchor", "apricot", "bamboo", "blackbird", "butterfly", "cinnamon", "cottage", "crocodile", "elephant"),
    *("envelope", "fountain", "giraffe", "hazelnut", "island", "jacket", "kangaroo", "lavender", "lemonade"),
    *("lighthouse", "marigold", "meadow", "november", "octopus", "orchestra", "paprika", "penguin", "pineapple"),
    *("pumpkin", "raspberry", "saxophone", "sunflower", "telescope", "thunder", "umbrella", "velvet", "volcano"),
    *("waterfall", "windmill", "xylophone", "yellow"),
)

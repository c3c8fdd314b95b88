"""Wake words: a cheap engine that listens always, and our own verifier that is asked about what it hears."""

"""One encrypted file that a hub can be made from again."""

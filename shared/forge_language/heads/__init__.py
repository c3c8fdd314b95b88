"""Small trained heads in numpy, their weights beside them: what a text's words and its encoding say together."""

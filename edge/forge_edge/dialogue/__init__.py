"""Turn-taking and requests: pure decisions over what was heard."""

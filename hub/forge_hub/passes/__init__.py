"""Three passes that bring a transcript into the log, the tables and the graph, alone or chained by a router."""

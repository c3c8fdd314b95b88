"""How the small heads are trained: numpy alone, seeded, from data whose licence allows it."""

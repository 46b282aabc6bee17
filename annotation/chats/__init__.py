"""People chat with models in bubbles; what happened is a log of events, and everything shown follows from it."""

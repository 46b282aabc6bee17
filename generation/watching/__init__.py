"""A run on its way: how far it is, what went wrong, every call of a dialogue."""

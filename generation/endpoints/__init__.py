"""Where models are: addresses, keys, limits, the client that talks to them and what they can do."""

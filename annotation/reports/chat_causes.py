"""The words for the causes that a chat's log names."""

from collections.abc import Mapping

ABORTED: Mapping[str, str] = {
    "interrupted": "the tester wrote on",
    "stopped": "the tester stopped it",
    "restart": "the server restarted",
}
# By generation.endpoints.refusals.Trouble.
FAILED: Mapping[str, str] = {
    "rate_limited": "the endpoint was busy",
    "quota": "the account was out of money",
    "auth": "the key was refused",
    "provider": "the endpoint failed or could not be reached",
    "ambiguous": "the connection broke",
    "rejected": "the request was refused, or the reply was empty",
    "filtered": "moderation objected",
}
LIMITS: Mapping[str, str] = {
    "turns": "the limit of turns",
    "time": "the limit of time",
    "budget": "the limit of money",
}
# Of a tester who gave the chat up instead of finishing it.
LEFT = "left"
ENDED: Mapping[str, str] = {**LIMITS, "person": "the tester", LEFT: "the tester left"}
CAUSES: Mapping[str, str] = {**ABORTED, **FAILED, **ENDED}

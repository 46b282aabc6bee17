"""Raters as processes of their own: `setup`, then many `work` at once, then `count`. Run with `python -m`."""

import json
import os
import sys
from collections import Counter
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.utils import timezone  # noqa: E402

from annotation.models import Assignment, Membership, Rating, Study  # noqa: E402
from annotation.rating import queue  # noqa: E402
from annotation.rating.answers import Answer  # noqa: E402
from tests.annotation.setting import SCORES, corpus, member, study  # noqa: E402


def setup(raters: int) -> list[list[str]]:
    """Three studies, one to three raters an item; each rater's tokens in them."""
    chats = corpus(4)
    studies = [study(k, of=chats) for k in (1, 2, 3)]
    return [[member(one, f"rater-{number}").token for one in studies] for number in range(raters)]


def work(tokens: list[str]) -> int:
    """Rate until nothing is left; every submit is sent twice."""
    rated = 0
    for token in tokens:
        membership = Membership.objects.select_related("study", "rater").get(token=token)
        while assignment := queue.next_assignment(membership, now=timezone.now()):
            for _ in range(2):
                queue.submit(
                    membership.rater,
                    assignment.token,
                    submission_id=assignment.submission_id,
                    answer=Answer(dict(SCORES)),
                    now=timezone.now(),
                )
            rated += 1
    return rated


def count(_: None) -> dict[str, Any]:
    """Per study: how many items have how many ratings, and how many raters scored one twice."""
    found = {}
    for one in Study.objects.all():
        rows = list(Rating.objects.for_study(one).values_list("assignment__item_id", "assignment__membership_id"))
        per_item = Counter(item for item, _ in rows)
        found[str(one.raters_per_item)] = {
            "items": one.items.count(),
            "ratings_per_item": sorted(set(per_item.values())),
            "rated_items": len(per_item),
            "twice_by_one_rater": len(rows) - len(set(rows)),
            "places": Assignment.objects.filter(study=one).count(),
        }
    return found


if __name__ == "__main__":
    action, argument = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps({"setup": setup, "work": work, "count": count}[action](argument)))

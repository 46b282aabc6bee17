"""What the first sentences of a report of pairs claim, checked against decisions that raw SQL gives."""

import re
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from annotation.models import Study
from annotation.reports.pair_findings import Preferences
from annotation.reports.preference_findings import preferences_of
from annotation.reports.whole import lead_of
from tests.annotation.claims.lead import AGREEMENT, check_agreement, is_standing, primary_of
from tests.annotation.claims.sql import COUNTED, number, one, rows

# (metric, earlier version's symbol, later version's, member, item, decision, whether the left dialogue was chosen):
# a decision is 1 for the later version, −1 for the earlier one, 0 for a tie.
Decided = tuple[str, str, str, int, int, int, bool]

DECISIONS = f"""
SELECT c.metric, v.symbol, v.position, v.slug, w.symbol, w.position, w.slug, k.membership_id, k.item_id, c.value,
       a.is_flipped
  FROM ({COUNTED}) k JOIN annotation_rating r ON r.id = k.id JOIN annotation_assignment a ON a.id = r.assignment_id
  JOIN annotation_score c ON c.rating_id = k.id JOIN annotation_item i ON i.id = k.item_id
  JOIN dialogues_dialogue d ON d.id = i.dialogue_id JOIN dialogues_version v ON v.slug = d.version_id
  JOIN dialogues_dialogue o ON o.id = i.other_id JOIN dialogues_version w ON w.slug = o.version_id
"""
WON = re.compile(
    r"Ties counting half, (?P<second>\S+) won (?:(?P<side>more|less) than )?half of its comparisons "
    r"with (?P<first>\S+) on (?:(?P<count>\d+) of )?(?P<of>\d+) (?P<primary>primary )?metrics?"
    r"(?: \((?P<low>[\d.]+)(?: to (?P<high>[\d.]+))? %\))?"
    r"(?: and less than half on (?P<less>\d+) \((?P<less_low>[\d.]+)(?: to (?P<less_high>[\d.]+))? %\))?; "
    r"(?:the 95 % interval of Davidson’s model lies on the same side of 50 % on (?P<clear>\d+|none) of "
    r"(?P<have>\d+|the \d+ that have one)(?P<several>, not adjusted for their number)?|"
    r"Davidson’s model has no interval for this)\."
)
TIES = re.compile(
    r"([\d,]+) of ([\d,]+) decisions? \(([\d.]+) %\) (was a tie|were ties)(?:, and ([\d.]+) % of the others chose the "
    r"left dialogue(, without an interval|: the 95 % interval excludes 50 %, so raters favoured the (left|right) side|"
    r", with 50 % in the 95 % interval))?\."
)
WHOM = re.compile(
    r"All this applies to these raters and to backgrounds like these, not to other raters; "
    r"(the plan named these pairs and metrics before the launch|"
    r"no plan named these pairs and metrics before the launch, so they are exploratory)\."
    r"( With fewer than 12 backgrounds the intervals can be too narrow\.)?"
)


def check_preference_lead(study: Study) -> list[str]:
    """Every sentence holds of the decisions that SQL gives; of intervals, those of the findings are counted."""
    found, given = preferences_of(study), decided(study.pk)
    sentences = lead_of(study, found, dashes=True)
    assert bool(given) == bool(sentences)
    for sentence in sentences:
        if is_standing(study, sentence):
            continue
        if said := WON.fullmatch(sentence):
            check_won(study, found, given, said)
        elif said := TIES.fullmatch(sentence):
            check_ties(found, given, said)
        elif said := AGREEMENT.fullmatch(sentence):
            check_agreement({(row[0], row[1] + row[2], row[3], row[4]): row[5] for row in given}, *said.groups())
        else:
            said = WHOM.fullmatch(sentence)
            assert said, sentence
            assert said[1].startswith("the plan named") == bool(primary_decided(study, given))
            assert bool(said[2]) == (1 < compared_backgrounds(study.pk) < 12)
    return sentences


def compared_backgrounds(study: int) -> int:
    sql = f"""SELECT COUNT(DISTINCT i.background_id) FROM annotation_item i
               WHERE i.id IN (SELECT item_id FROM ({COUNTED}) c)"""
    return int(one(sql, study))


def decided(study: int) -> list[Decided]:
    """Every decision that counts."""
    found = []
    for metric, own, *place, other, position, slug, member, item, value, is_flipped in rows(DECISIONS, study):
        # Below 0 prefers the item's own dialogue, which stands left unless the rater's screen was flipped.
        left = bool(value > 0) == bool(is_flipped)
        if place <= [position, slug]:
            found.append((metric, own, other, member, item, value, left))
        else:
            found.append((metric, other, own, member, item, -value, left))
    return found


def primary_decided(study: Study, given: list[Decided]) -> list[Decided]:
    """The decisions on primary metrics and pairs."""
    metrics, pairs = primary_of(study.pk)
    return [row for row in given if row[0] in metrics and set(row[1:3]) in pairs]


def check_won(study: Study, found: Preferences, given: list[Decided], said: re.Match[str]) -> None:
    """On how many metrics a version won more or less than half, and with which rates."""
    primary = primary_decided(study, given)
    assert bool(said["primary"]) == bool(primary)
    by_metric: dict[str, list[int]] = defaultdict(list)
    for metric, first, second, _, _, value, _ in primary or given:
        if (first, second) == (said["first"], said["second"]):
            by_metric[metric].append(value)
    shares = {metric: 50 * (1 + float(np.mean(values))) for metric, values in by_metric.items()}
    more, less = [one for one in shares.values() if one > 50], [one for one in shares.values() if one < 50]
    main = {"more": more, "less": less, None: []}[said["side"]]
    assert number(said["of"]) == len(shares)
    assert number(said["count"] or "0") == len(main) == len(more or less)
    assert number(said["less"] or "0") == (len(less) if more else 0)
    for some, low, high in ((main, said["low"], said["high"]), (less, said["less_low"], said["less_high"])):
        if low:
            assert abs(min(some) - float(low)) < 0.051
            assert abs(max(some) - float(high or low)) < 0.051
    check_model(found, shares, said)


def check_model(found: Preferences, shares: Mapping[str, float], said: re.Match[str]) -> None:
    """On how many of these metrics the model's interval lies where the win rate does."""
    clear = have = 0
    for place, metric in enumerate(found.metrics):
        rate = found.modelled(place, said["second"], said["first"]) if metric.key in shares else None
        if rate and rate.low is not None and rate.high is not None:
            have += 1
            share = shares[metric.key]
            clear += (share > 50 and rate.low > 0.5) or (share < 50 and rate.high < 0.5)
    assert bool(said["have"]) == bool(have)
    if said["have"]:
        assert (said["clear"], bool(said["several"])) == (str(clear or "none"), have > 1)
        assert said["have"] == (str(have) if have == len(shares) else f"the {have} that have one")


def check_ties(found: Preferences, given: list[Decided], said: re.Match[str]) -> None:
    """Ties over everything, and the side chosen in all other decisions."""
    ties, lefts = sum(row[5] == 0 for row in given), [row[6] for row in given if row[5] != 0]
    assert (number(said[1]), number(said[2])) == (ties, len(given))
    assert abs(float(said[3]) - 100 * ties / len(given)) < 0.051
    assert (said[4] == "was a tie") == (ties == 1)
    assert bool(said[5]) == bool(lefts)
    if said[5]:
        assert abs(float(said[5]) - 100 * float(np.mean(lefts))) < 0.051
        low, high = found.left[-1].low, found.left[-1].high
        assert ("without" in said[6]) == (low is None)
        if low is not None and high is not None:
            assert ("excludes" in said[6]) == (low > 0.5 or high < 0.5)
            assert said[7] == ("left" if low > 0.5 else "right" if high < 0.5 else None)

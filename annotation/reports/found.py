"""What a study's report was computed to, of either kind: scores, or preferences between pairs. Pure."""

from annotation.reports.findings import Findings
from annotation.reports.pair_findings import Preferences

Found = Findings | Preferences


def demo_versions(found: Found) -> list[str]:
    """The symbols of versions with demo texts."""
    if isinstance(found, Preferences):
        return list(found.demo)
    return [version.symbol for version in found.versions if version.is_demo]

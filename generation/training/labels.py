"""What must be said wherever something made of a training set appears."""

from dataclasses import dataclass

from dialogues.display import DEMO_LABEL
from generation.models import TrainingSet


@dataclass(frozen=True, slots=True)
class Labels:
    """Whether the demo model's rules wrote a part of the data, and whether simulated scores chose them."""

    demo: bool
    simulated: bool

    def words(self) -> list[str]:
        """A sentence for each."""
        said = []
        if self.demo:
            said.append(
                f"Trained on demo data: {DEMO_LABEL}, wrote its dialogues. Nothing about this model is a finding."
            )
        if self.simulated:
            said.append("Simulated ratings chose its training data. They are no evidence about any dialogue.")
        return said


def labels_of(training_set: TrainingSet) -> Labels:
    """As building counted them."""
    told = training_set.counts.get("labels", {})
    return Labels(bool(told.get("demo")), bool(told.get("simulated")))

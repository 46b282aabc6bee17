"""`manage.py demo …`: what is there for show and for tests."""

from core.commands import Group
from demo.management.commands import demo_model, simulate_ratings


class Command(Group):
    help = "Serve the demo model, and fill a simulated study with ratings."
    verbs = {"serve-model": demo_model.Command, "simulate-ratings": simulate_ratings.Command}

"""Appeals against what a review cut."""

"""Pictures of the programme's figures, each with a text that says the same to those who cannot see it."""

from templates.charts.burn_down import burn_down
from templates.charts.canvas import Picture
from templates.charts.cumulative import cumulative
from templates.charts.event_study import event_study
from templates.charts.funds import funds
from templates.charts.month import month_of_spend
from templates.charts.packages import packages
from templates.charts.utilisation import utilisation
from templates.charts.weekly import weekly_spend

__all__ = [
    "Picture",
    "burn_down",
    "cumulative",
    "event_study",
    "funds",
    "month_of_spend",
    "packages",
    "utilisation",
    "weekly_spend",
]

"""Holding what a call may cost before it runs, and settling what it did."""

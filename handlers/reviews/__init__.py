"""The quarterly review of grants, from draft to adoption."""

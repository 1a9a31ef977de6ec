"""How good the answers are, measured on labelled photos: what scripts/evaluate.py runs."""

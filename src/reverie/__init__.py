"""Reverie: train vision-language-action policies and evaluate them in a learned video world."""

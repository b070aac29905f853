"""Recipes: complete named values, from data to checkpoint, and the commands that run them."""

"""What stands on the table and what is asked: scenes as values, drawn by seed. No physics, no pixels."""

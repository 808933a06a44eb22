"""What may say not-now, with a reason and when to ask again."""

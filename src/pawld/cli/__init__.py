"""The commands. Only here is text for people made and printed."""

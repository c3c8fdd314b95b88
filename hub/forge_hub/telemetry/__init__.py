"""What the hub says of itself to those who run it: numbers, and whether it does its work. Nothing about a person."""

"""The rules of the business, and its transactions."""

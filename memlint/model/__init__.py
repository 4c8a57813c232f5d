"""The frozen values that every room speaks in. Imports no other room."""

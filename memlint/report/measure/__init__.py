"""Measurement → what people and monitoring read: one file each."""

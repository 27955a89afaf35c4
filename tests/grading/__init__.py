"""Tests of grading. Every submission here is synthetic, made by a generator; none comes from a person."""

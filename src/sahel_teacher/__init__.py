"""What teachers and developers of the course need: build, check the data, test; a student needs none of it."""

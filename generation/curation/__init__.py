"""Example sets as people make them: adding, editing, ordering, weighing, comparing, exporting."""

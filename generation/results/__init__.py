"""What runs made: quality figures, comparisons of models, exports."""

"""`{{ url|excel_links }}`: the forms for Excel of the CSV file at this address; `latex_links`: LaTeX for each width."""

from django import template

from core.downloads import excel_links, latex_links

register = template.Library()
register.filter("excel_links", excel_links)
register.filter("latex_links", latex_links)

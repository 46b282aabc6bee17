"""`{{ url|excel_links }}`: the forms for Excel of the CSV file at this address."""

from django import template

from core.downloads import excel_links

register = template.Library()
register.filter("excel_links", excel_links)

"""Compile LaTeX as an author would: pdfLaTeX, two columns as wide as ACL's on A4."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

HAS_LATEX = shutil.which("pdflatex") is not None
needs_latex = pytest.mark.skipif(not HAS_LATEX, reason="no pdflatex on this machine")
DOCUMENT = r"""\documentclass[11pt,a4paper,twocolumn]{article}
\usepackage[T1]{fontenc}
\usepackage{booktabs,array}
\setlength{\textwidth}{16cm}\setlength{\textheight}{24.7cm}\setlength{\columnsep}{.6cm}
\setlength{\oddsidemargin}{0pt}\setlength{\topmargin}{-2cm}
\begin{document}
%s
\end{document}
"""
# What a reader sees: text beyond its column by more than a point, or a float that a page cannot hold.
TOO_WIDE = re.compile(r"^Overfull \\hbox \((?:[2-9]|\d{2,}|1\.[1-9])[\d.]*pt too wide\).*", re.MULTILINE)
TOO_HIGH = re.compile(r"^.*Float too large for page by.*", re.MULTILINE)


def compiled(folder: Path, texts: Iterable[str], name: str = "tables") -> str:
    """The log of a document with these texts, each on pages of its own; fails where it does not compile."""
    (folder / f"{name}.tex").write_text(DOCUMENT % "\n\\clearpage\n".join(texts), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-3000:]
    # TeX breaks its lines at 79 letters.
    return log


def flaws(log: str) -> list[str]:
    return [found.group() for pattern in (TOO_WIDE, TOO_HIGH) for found in pattern.finditer(log)]

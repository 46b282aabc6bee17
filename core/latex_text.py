"""Text for LaTeX: every special character escaped, and how wide it is printed. Pure.

pdfLaTeX prints Latin letters with their accents, Greek letters of versions and the usual signs. Any other character is
written as `\\codepoints{自}{U+81EA}`: LuaLaTeX and XeLaTeX print the character, pdfLaTeX its code point, so that no
name keeps a document from compiling.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

NAMED = 20  # the most characters that a comment lists
# What pdfLaTeX prints without an encoding or a font; `LATEX` below writes more as commands.
PRINTED = re.compile(r"[ -~\u00a0-\u00bf\u00c6\u00d7\u00d8\u00df\u00e6\u00f7\u00f8\u0152\u0153‘’“”†‡•€™]")
IN_T1 = frozenset("«»‹›„‚ÐðÞþĐđŊŋ")
OGONEK = "\u0328"
# Only LuaTeX and XeTeX know \Umathcode.
DEFINITION = r"\providecommand{\codepoints}[2]{\ifdefined\Umathcode#1\else{\ttfamily#2}\fi}"

LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "_": r"\_",
        "%": r"\%",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "`": r"\textasciigrave{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        # `\textquotedbl` needs the T1 encoding; this prints in every one.
        '"': "{''}",
        "α": r"$\alpha$",
        "β": r"$\beta$",
        "γ": r"$\gamma$",
        "ε": r"$\varepsilon$",
        "κ": r"$\kappa$",
        "λ": r"$\lambda$",
        "ρ": r"$\rho$",
        "τ": r"$\tau$",
        "ω": r"$\omega$",
        "Σ": r"$\Sigma$",
        "×": r"$\times$",
        "±": r"$\pm$",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "≈": r"$\approx$",
        "√": r"$\surd$",
        "−": r"$-$",
        "→": r"$\rightarrow$",
        "–": "--",
        "—": "---",
        "…": r"\ldots{}",
        **dict.fromkeys((*map(chr, range(32)), "\x7f", "\x85", "\u2028", "\u2029"), " "),
    }
)

# Computer Modern's widths (cmr10.tfm) in thousandths of the type size; Times is nowhere much wider.
_WIDTHS = {
    one: width
    for width, letters in {
        278: "il.,:;'’‘!|[]`",
        306: "fj",
        333: " -",
        361: "I",
        392: "()trs",
        444: "cez",
        500: '0123456789ago/*?$–“”"',
        528: "kqvxyJ",
        556: "bdhnpuSγτ",
        640: "αβκλρωεLZF_~^",
        722: "ETPBCw",
        778: "ARKVXYNHU&+=<>@−×±≤≥≈OQ%",
        833: "DGm#Σ√",
        917: "M",
        1028: "W—→ÆŒ™",
        1170: "…",
    }.items()
    for one in letters
}
_OTHER_WIDTH = 833
# What rounding adds to a sum of widths.
_DUST = 1e-6
# Seven letters of a typewriter, its blank included.
_CODE_POINT_WIDTH = 7 * 525


def latex_text(text: str) -> str:
    """The text on one line with every special character escaped, and code points for what pdfLaTeX cannot print."""
    runs = ((known, "".join(run)) for known, run in groupby(_composed(text), key=_is_known))
    return "".join(run.translate(LATEX) if known else _code_points(run) for known, run in runs)


def breakable(text: str, points: float, width: float) -> str:
    """The same for a line of `width` points in type of `points`: a longer word may break anywhere between its parts."""
    words = (r"\hspace{0pt}".join(map(latex_text, _parts(word, points, width))) for word in _composed(text).split(" "))
    return " ".join(words)


def wrapped(text: str, points: float, width: float) -> list[str]:
    """The text in lines of at most `width` points; a word that is longer is cut."""
    lines = [""]
    for word in _composed(text).split():
        for number, part in enumerate(_parts(word, points, width)):
            longer = f"{lines[-1]} {part}".strip()
            if number == 0 and width_of(longer, points) <= width + _DUST:
                lines[-1] = longer
            else:
                lines.append(part)
    return [line for line in lines if line] or [""]


def width_of(text: str, points: float) -> float:
    """About how wide pdfLaTeX prints the text, in points, in type of so many points."""
    return points * sum(map(_width, _composed(text))) / 1000


def longest_word(text: str, points: float) -> float:
    return max((width_of(word, points) for word in _composed(text).split()), default=0.0)


def needs(texts: Iterable[str]) -> list[str]:
    """Comments and a definition for the head of a file: what pdfLaTeX cannot print as it is in these texts."""
    used = sorted(set(_composed(" ".join(texts))))
    t1 = [one for one in used if _is_in_t1(one)]
    missing = [one for one in used if not _is_known(one)]
    lines = [rf"% needs \usepackage[T1]{{fontenc}} for: {_named(t1)}"] if t1 else []
    if missing:
        lines.append(f"% as code points, unless LuaLaTeX or XeLaTeX has a font with: {_named(missing)}")
        lines.append(DEFINITION)
    return lines


def _composed(text: str) -> str:
    """Letters with their accents in one character, where there is one, because pdfLaTeX prints no accent by itself."""
    return unicodedata.normalize("NFC", text)


def _is_known(one: str) -> bool:
    return ord(one) in LATEX or _is_printed(one) or _is_in_t1(one)


def _is_printed(one: str) -> bool:
    """Whether pdfLaTeX prints it as it is, or as an ASCII letter with accents."""
    first, *accents = list(unicodedata.normalize("NFD", one))
    return bool(PRINTED.match(one)) or (first.isascii() and bool(accents) and ord(one) < 0x180)


def _is_in_t1(one: str) -> bool:
    return one in IN_T1 or (ord(one) < 0x180 and OGONEK in unicodedata.normalize("NFD", one))


def _code_points(run: str) -> str:
    return rf"\codepoints{{{run}}}{{{' '.join(map(_code_point, run))}}}"


def _code_point(one: str) -> str:
    return f"U+{ord(one):04X}"


def _width(one: str) -> int:
    if not _is_known(one):
        return _CODE_POINT_WIDTH
    return _WIDTHS.get(unicodedata.normalize("NFD", one)[0], _OTHER_WIDTH)


def _parts(word: str, points: float, width: float) -> Iterator[str]:
    """The word in parts of at most `width`, of one character at least."""
    part, left = "", width
    for one in word:
        left -= points * _width(one) / 1000
        if part and left < -_DUST:
            yield part
            part, left = "", width - points * _width(one) / 1000
        part += one
    if part:
        yield part


def _named(characters: Sequence[str]) -> str:
    """The first of them with their code points; none of them can end the comment."""
    some = ", ".join(f"{one} ({_code_point(one)})" for one in characters[:NAMED])
    return some if len(characters) <= NAMED else f"{some} and {len(characters) - NAMED:,} more"

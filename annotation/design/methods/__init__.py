"""The text of a paper's methods section about a study: facts from the record, without judgement.

Every sentence is true of the study as it is when the text is read: nobody may have joined yet, or it may be closed.
"""

from annotation.design.methods.text import methods_text, paragraphs

__all__ = ["methods_text", "paragraphs"]

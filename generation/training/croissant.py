"""The export described in Croissant 1.1 (docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html), as JSON-LD.

It names no date, address or creator, so that the same set gives the same file: whoever publishes the directory adds
`datePublished`, `url` and `creator`, and `license` where none is on record.
"""

import json
from collections.abc import Iterator
from typing import Any

from generation.training.manifest import Manifest

NAME = "croissant.json"
VERSION = "http://mlcommons.org/croissant/1.1"
# As mlcroissant writes it.
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {
    ".parquet": "application/x-parquet",
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
    ".yaml": "application/yaml",
}
_TEXT, _NUMBER = "sc:Text", "sc:Integer"
# Of the Parquet files: what each column holds; None for a list of messages.
_COLUMNS: dict[str, dict[str, tuple[str | None, str]]] = {
    "dialogues": {
        "name": (_TEXT, "Unique within the set: the dialogue and the side."),
        "background": (_TEXT, "The original that the dialogue was written from; it decides the split."),
        "version": (_TEXT, "How the dialogue was written."),
        "side": (_NUMBER, "The speaker whose part the model learns, 1 or 2."),
        "messages": (None, "A system message where there is one, then user and assistant in turn."),
    },
    "preferences": {
        "name": (_TEXT, "Unique within the set: the dialogue, the side and the turn."),
        "background": (_TEXT, "The original that both dialogues were written from; it decides the split."),
        "version": (_TEXT, "How the better dialogue was written."),
        "worse_version": (_TEXT, "How the worse dialogue was written."),
        "side": (_NUMBER, "The speaker whose part the model learns, 1 or 2."),
        "turn": (_NUMBER, "Which turn of that speaker, from 1."),
        "prompt": (None, "What was said before; ends with the user's turn."),
        "chosen": (None, "The better reply."),
        "rejected": (None, "The worse reply."),
    },
}


def croissant(made: Manifest) -> str:
    """The JSON-LD text of a directory with Parquet files."""
    described: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": made.title,
        "description": " ".join([made.summary, *made.notices]),
        "conformsTo": VERSION,
        "version": f"{made.version}.0.0",
        "isLiveDataset": False,
    }
    if made.licence:
        described["license"] = made.licence
    if made.privacy_notice:
        described["rai:personalSensitiveInformation"] = made.privacy_notice
    described["distribution"] = list(_distribution(made))
    described["recordSet"] = [_record_set(made, split) for split in made.examples]
    return json.dumps(described, ensure_ascii=False, indent=2) + "\n"


def _distribution(made: Manifest) -> Iterator[dict[str, Any]]:
    for path, file in sorted(made.files.items()):
        kind = _TYPES.get(path[path.rfind(".") :])
        if kind:
            yield {
                "@type": "cr:FileObject",
                "@id": path,
                "name": path,
                "contentUrl": path,
                "contentSize": f"{file.bytes} B",
                "encodingFormat": kind,
                "sha256": file.sha256,
            }


def _record_set(made: Manifest, split: str) -> dict[str, Any]:
    columns = _COLUMNS[made.recipe.kind]
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"The {made.examples[split]:,} examples of the split {split}.",
        "key": {"@id": f"{split}/name"},
        "field": [_field(split, column, *about) for column, about in columns.items()],
    }


def _field(split: str, column: str, kind: str | None, about: str) -> dict[str, Any]:
    field = {"@type": "cr:Field", "@id": f"{split}/{column}", "name": column, "description": about}
    if kind:
        return {**field, "dataType": kind, "source": _source(split, column)}
    parts = [
        {
            "@type": "cr:Field",
            "@id": f"{split}/{column}/{part}",
            "name": part,
            "dataType": _TEXT,
            "source": {**_source(split, column), "transform": {"jsonPath": part}},
        }
        for part in ("role", "content")
    ]
    return {**field, "isArray": True, "arrayShape": "-1", "subField": parts}


def _source(split: str, column: str) -> dict[str, Any]:
    return {"fileObject": {"@id": f"data/{split}.parquet"}, "extract": {"column": column}}

"""What WhatsApp itself writes into an export: notices, and words in place of what is no text.

In English, German, Spanish, French, Portuguese and Italian. Words that are missing here do no harm in silence: a
placeholder comes in as a message, and a notice that names somebody makes the chat a group that asks for two people.
"""

import re

# The direction marks that WhatsApp puts before its own words and around names and numbers.
MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

# Parts of notices that no name and hardly any message has.
_NOTICES = (
    # English
    *("end-to-end encrypted", "created group", "created this group", "changed the subject", "changed the group"),
    *("changed this group", "changed the settings", "group description", "joined using", "joined from", "joined this"),
    *(" left the group", " added ", " removed ", "security code", "changed their phone number", "new phone number"),
    *("missed voice call", "missed video call", "missed group", "voice call", "video call", "disappearing messages"),
    *("is a contact", "blocked this contact", "pinned a message", "now an admin", "default timer"),
    # German
    *("ende-zu-ende-verschlüsselt", "hat die gruppe", "hat diese gruppe", "hat den betreff", "hat das gruppenbild"),
    *("gruppenbeschreibung", "hinzugefügt", "ist der gruppe", "entfernt", "sicherheitsnummer", "neue telefonnummer"),
    *("verpasster sprachanruf", "verpasster videoanruf", "sprachanruf", "videoanruf", "selbstlöschende nachrichten"),
    # Spanish
    *("de extremo a extremo", "creó el grupo", "creó este grupo", "cambió el asunto", "cambió la descripción"),
    *("cambió el ícono", "cambió el nombre", "añadió a", "te añadió", "se unió", "salió del grupo", "eliminó a"),
    *("código de seguridad", "llamada perdida", "videollamada perdida", "mensajes temporales", "número de teléfono"),
    # French
    *("de bout en bout", "a créé le groupe", "a créé ce groupe", "a changé l'objet", "a changé l’objet"),
    *("a modifié", "a changé l’icône", "a ajouté", "vous a ajouté", "a rejoint", "a quitté", "a retiré"),
    *("code de sécurité", "appel vocal manqué", "appel vidéo manqué", "messages éphémères", "numéro de téléphone"),
    # Portuguese
    *("de ponta a ponta", "ponta a ponta", "criou o grupo", "criou este grupo", "mudou o assunto", "mudou o nome"),
    *("mudou a descrição", "alterou o nome", "adicionou", "entrou usando", "saiu do grupo", "removeu"),
    *("código de segurança", "chamada de voz perdida", "chamada de vídeo perdida", "ligação de voz perdida"),
    *("ligação de vídeo perdida", "mensagens temporárias", "número de telefone"),
    # Italian
    *("crittografati end-to-end", "crittografia end-to-end", "ha creato il gruppo", "ha creato questo gruppo"),
    *("ha cambiato", "ha modificato", "ha aggiunto", "è entrato", "si è unit", "ha abbandonato", "ha rimosso"),
    *("codice di sicurezza", "chiamata vocale persa", "videochiamata persa", "messaggi effimeri", "numero di telefono"),
)

_NOTICE_LENGTH = 400

_PLACEHOLDERS = {
    "images_set_aside": (
        *("image omitted", "bild weggelassen", "imagen omitida", "image absente", "image omise"),
        *("imagem ocultada", "imagem omitida", "immagine omessa"),
    ),
    "videos_set_aside": (
        *("video omitted", "video note omitted", "video weggelassen", "video omitido", "vídeo omitido"),
        *("vidéo absente", "vidéo omise", "vídeo ocultado", "video omesso"),
    ),
    "audio_messages_set_aside": (
        *("audio omitted", "audio weggelassen", "audio omitido", "audio omis", "audio absent"),
        *("áudio ocultado", "áudio omitido", "audio omesso"),
    ),
    "stickers_set_aside": (
        *("sticker omitted", "sticker weggelassen", "sticker omitido", "sticker omis", "sticker absent"),
        *("figurinha omitida", "sticker omesso", "adesivo omesso"),
    ),
    "gifs_set_aside": (
        *("gif omitted", "gif weggelassen", "gif omitido", "gif omis", "gif absent", "gif omessa", "gif esclusa"),
    ),
    "documents_set_aside": (
        *("document omitted", "dokument weggelassen", "documento omitido", "document omis", "document absent"),
        *("documento omesso", "documento ocultado"),
    ),
    "contacts_set_aside": (
        *("contact card omitted", "kontaktkarte ausgelassen", "kontaktkarte weggelassen"),
        *("tarjeta de contacto omitida", "fiche contact omise", "carte de contact omise"),
        *("cartão do contato omitido", "cartão de contato omitido", "scheda contatto omessa"),
    ),
    "media_set_aside": (
        *("media omitted", "medien ausgeschlossen", "medien weggelassen", "multimedia omitido", "archivo omitido"),
        *("medios omitidos", "médias omis", "fichier omis", "mídia oculta", "mídia omitida", "arquivo de mídia oculto"),
        *("ficheiro não revelado", "media omessi", "media omesso", "view once message omitted"),
    ),
    "deleted_messages_set_aside": (
        *("this message was deleted", "you deleted this message", "this message was deleted by admin"),
        *("diese nachricht wurde gelöscht", "du hast diese nachricht gelöscht"),
        *("se eliminó este mensaje", "este mensaje fue eliminado", "eliminaste este mensaje"),
        *("ce message a été supprimé", "vous avez supprimé ce message"),
        *("mensagem apagada", "esta mensagem foi apagada", "você apagou esta mensagem", "apagou esta mensagem"),
        *("questo messaggio è stato eliminato", "hai eliminato questo messaggio"),
    ),
}
_KINDS = {words: kind for kind, several in _PLACEHOLDERS.items() for words in several}
_LONGEST = max(map(len, _KINDS)) + 4

# `<attached: 00000012-PHOTO-2020-12-31.jpg>`, and the same as `IMG-20201231-WA0001.jpg (file attached)`.
_ATTACHED = re.compile(
    r"<(?:attached|anhang|adjunto|pièce jointe|anexado|allegato)\s?: ?([^<>\n]{1,250})>"
    r"|([^<>\n]{1,250}) \((?:file attached|datei angehängt|archivo adjunto|fichier joint|arquivo anexado|"
    r"ficheiro anexado|file allegato)\)",
    re.IGNORECASE,
)
_FILE_KINDS = (
    ("stickers_set_aside", re.compile(r"sticker|^stk|\.webp$", re.IGNORECASE)),
    ("gifs_set_aside", re.compile(r"gif", re.IGNORECASE)),
    ("images_set_aside", re.compile(r"photo|^img|\.(?:jpe?g|png|heic)$", re.IGNORECASE)),
    ("videos_set_aside", re.compile(r"video|^vid|\.(?:mp4|mov|3gp)$", re.IGNORECASE)),
    ("audio_messages_set_aside", re.compile(r"audio|^ptt|^aud|\.(?:opus|m4a|mp3|ogg)$", re.IGNORECASE)),
    ("contacts_set_aside", re.compile(r"contact|\.vcf$", re.IGNORECASE)),
)
_EDITED = re.compile(
    r"<(?:This message was edited|Diese Nachricht wurde bearbeitet|Se editó este mensaje|Este mensaje fue editado|"
    r"Ce message a été modifié|Mensagem editada|Esta mensagem foi editada|Questo messaggio è stato modificato)\.?>$",
    re.IGNORECASE,
)
# What stands beside a document that is left out: `report.pdf • 3 pages`.
_FILE_NAME = re.compile(r"[^\n]{1,200}\.\w{2,5}(?: • [^\n]{1,40})?")


def is_notice(text: str) -> bool:
    """Whether the beginning of a text has words of a notice, such as “changed the subject”."""
    text = text[:_NOTICE_LENGTH].lower()
    return any(words in text for words in _NOTICES)


def placeholder(text: str) -> tuple[str, str]:
    """(what it stands for, "" if it is a text; the text that stands beside it)."""
    if kind := _kind_of(text):
        return kind, ""
    first, _, rest = text.partition("\n")
    if kind := _kind_of(first):
        return kind, rest.strip(f"{MARKS} \n\r")
    before, mark, last = text.rpartition("\u200e")
    if mark and (kind := _kind_of(last)):
        caption = before.strip(f"{MARKS} \n\r")
        return kind, "" if _FILE_NAME.fullmatch(caption) else caption
    return "", text


def without_edit_mark(text: str) -> str | None:
    """The text without “<This message was edited>” at its end, or None if that is not there."""
    if not text.endswith(">"):
        return None
    found = _EDITED.search(text, max(0, len(text) - 60))
    return text[: found.start()].rstrip(f"{MARKS} \n\r") if found else None


def _kind_of(text: str) -> str:
    text = text.strip(f"{MARKS} \r\n")
    if len(text) <= _LONGEST and (kind := _KINDS.get(text.strip("<>.").lower())):
        return kind
    found = _ATTACHED.fullmatch(text)
    if not found:
        return ""
    name = (found[1] or found[2]).strip(f"{MARKS} ")
    return next((kind for kind, pattern in _FILE_KINDS if pattern.search(name)), "documents_set_aside")

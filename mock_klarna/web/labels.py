"""The words on the button, by language and button type (protocol 3.9); what has no translation is English."""

from collections.abc import Mapping

from mock_klarna.domain.look import Look

_WORDS: Mapping[str, tuple[str, str, str, str, str]] = {
    "en": ("Express checkout", "Buy now", "Pay now", "Donate", "Test environment, no real payment"),
    "sv": ("Expresskassa", "Köp nu", "Betala nu", "Skänk en gåva", "Testmiljö, ingen riktig betalning"),
    "de": ("Express-Kauf", "Jetzt kaufen", "Jetzt bezahlen", "Jetzt spenden", "Testumgebung, keine echte Zahlung"),
    "fi": ("Pikakassa", "Osta nyt", "Maksa nyt", "Lahjoita", "Testiympäristö, ei oikeaa maksua"),
    "nb": ("Ekspresskasse", "Kjøp nå", "Betal nå", "Gi en gave", "Testmiljø, ingen ekte betaling"),
    "da": ("Ekspreskøb", "Køb nu", "Betal nu", "Giv et bidrag", "Testmiljø, ingen rigtig betaling"),
    "nl": ("Snel bestellen", "Nu kopen", "Nu betalen", "Doneren", "Testomgeving, geen echte betaling"),
    "fr": ("Achat express", "Acheter", "Payer", "Faire un don", "Environnement de test, aucun paiement réel"),
}
_TYPES = ("express", "buy", "pay", "donation")
_SPOKEN = {"no": "nb", "nn": "nb"}

NOT_NOW: Mapping[str, str] = {
    "en": "This cannot be bought right now.",
    "sv": "Det går inte att köpa just nu.",
    "de": "Der Kauf ist gerade nicht möglich.",
    "fi": "Ostaminen ei onnistu juuri nyt.",
    "nb": "Det kan ikke kjøpes akkurat nå.",
    "da": "Det kan ikke købes lige nu.",
    "nl": "Dit kan nu niet worden gekocht.",
    "fr": "L'achat est impossible pour le moment.",
}
"""What the page says where a click cannot begin a purchase."""


def language(locale: str) -> str:
    """Return the language that a locale is shown in: its own where there are words in it, else English."""
    spoken = locale.partition("-")[0].lower()
    spoken = _SPOKEN.get(spoken, spoken)
    return spoken if spoken in _WORDS else "en"


def button(look: Look) -> dict[str, str]:
    """Return a button as the browser library draws it: look, words, the note below it, and what it says when it fails."""
    spoken = language(look.locale)
    words = _WORDS[spoken]
    return {
        "type": look.type,
        "theme": look.theme,
        "tagline": look.tagline,
        "locale": look.locale,
        "language": spoken,
        "label": words[_TYPES.index(look.type)],
        "note": words[-1],
        "not_now": NOT_NOW[spoken],
    }

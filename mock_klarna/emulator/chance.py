"""Ids and shoppers out of one seed: the same seed and the same calls give the same ones."""

from hashlib import blake2b

_VERSION_4 = 0x00000000_0000_4000_8000_000000000000
_RANDOM = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF


def digest(*parts: object) -> bytes:
    """Return sixteen bytes that depend on every part and on nothing else."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()


def uuid_from(*parts: object) -> str:
    """Return a UUID (version 4 in form, C-21) that depends on every part and on nothing else."""
    text = "%032x" % (int.from_bytes(digest(*parts)) & _RANDOM | _VERSION_4)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
